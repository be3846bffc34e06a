"""A cache whose values expire."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from collections_app.engine.retrieval.ttl_cache import TtlCache

LATER = time.monotonic() + 3600


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


def test_value_is_computed_once_while_others_wait() -> None:
    cache: TtlCache[str, int] = TtlCache(limit=2, seconds=1000)
    begun, released, computed = Event(), Event(), []

    def compute() -> int:
        begun.set()
        released.wait(20)
        computed.append(1)
        return len(computed)

    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(cache.get_or_compute, "a", compute, until=LATER) for _ in range(4)]
        assert begun.wait(20)
        assert cache.get_or_compute("a", lambda: 7, until=0) == 7, "it waits no longer than its deadline"
        released.set()
        assert [one.result() for one in futures] == [1] * 4
    assert cache.get_or_compute("a", compute, until=0) == 1


def test_another_thread_computes_after_a_failure() -> None:
    cache: TtlCache[str, int] = TtlCache(limit=2, seconds=1000)
    attempts, begun = [], Event()

    def fail_first() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            begun.wait(20)
            raise ValueError
        return 5

    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(cache.get_or_compute, "a", fail_first, until=LATER) for _ in range(2)]
        begun.set()
        outcomes = [one.exception() or one.result() for one in futures]
    assert [type(one) for one in outcomes].count(ValueError) == 1
    assert cache.get("a") == 5
