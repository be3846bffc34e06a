"""Values that are kept for a while."""

from collections_app.engine.retrieval.ttl_cache import Recent


def test_a_value_comes_back_while_it_is_recent() -> None:
    kept: Recent[str, int] = Recent(most=2, seconds=1000)
    kept.put("a", 1)
    assert (kept.get("a"), kept.get("b")) == (1, None)


def test_a_value_is_forgotten_after_its_time() -> None:
    kept: Recent[str, int] = Recent(most=2, seconds=0)
    kept.put("a", 1)
    assert kept.get("a") is None


def test_the_oldest_makes_room() -> None:
    kept: Recent[str, int] = Recent(most=2, seconds=1000)
    for number, key in enumerate(["a", "b", "a", "c"]):
        kept.put(key, number)
    assert [kept.get(key) for key in "abc"] == [2, None, 3]
