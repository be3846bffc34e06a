"""A cache whose values expire."""

from collections_app.engine.retrieval.ttl_cache import TtlCache


def test_value_is_returned_until_it_expires() -> None:
    cache: TtlCache[str, int] = TtlCache(limit=2, seconds=1000)
    cache.put("a", 1)
    assert (cache.get("a"), cache.get("b")) == (1, None)


def test_expired_value_is_not_returned() -> None:
    cache: TtlCache[str, int] = TtlCache(limit=2, seconds=0)
    cache.put("a", 1)
    assert cache.get("a") is None


def test_oldest_value_is_evicted() -> None:
    cache: TtlCache[str, int] = TtlCache(limit=2, seconds=1000)
    for number, key in enumerate(["a", "b", "a", "c"]):
        cache.put(key, number)
    assert [cache.get(key) for key in "abc"] == [2, None, 3]
