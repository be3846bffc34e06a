"""A byte-limited cache that evicts the least recently used values."""

from collections_app.engine.retrieval.lru_cache import LruCache


def test_least_recently_used_value_is_evicted() -> None:
    cache: LruCache[int, str] = LruCache()
    cache.put({1: ("a", 40), 2: ("b", 40)}, max_bytes=100)
    assert cache.get_many([1]) == {1: "a"}
    cache.put({3: ("c", 40)}, max_bytes=100)
    assert (cache.get_many([1, 2, 3, 4]), cache.nbytes) == ({1: "a", 3: "c"}, 80)


def test_replaced_value_counts_once() -> None:
    cache: LruCache[int, str] = LruCache()
    for size in (10, 30, 20):
        cache.put({1: ("a", size)}, max_bytes=100)
    assert cache.nbytes == 20


def test_value_above_the_limit_is_not_cached() -> None:
    cache: LruCache[int, str] = LruCache()
    cache.put({1: ("a", 10)}, max_bytes=0)
    assert (cache.get_many([1]), cache.nbytes) == ({}, 0)


def test_reset_empties_the_cache() -> None:
    cache: LruCache[int, str] = LruCache()
    cache.put({1: ("a", 10)}, max_bytes=100)
    cache.reset()
    assert (cache.get_many([1]), cache.nbytes) == ({}, 0)
