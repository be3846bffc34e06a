"""What was asked for last stays, and never more than so many bytes."""

from collections_app.engine.retrieval.lru_cache import Bounded


def test_what_was_asked_for_last_stays() -> None:
    kept: Bounded[int, str] = Bounded()
    kept.put({1: ("a", 40), 2: ("b", 40)}, most_bytes=100)
    assert kept.take([1]) == {1: "a"}
    kept.put({3: ("c", 40)}, most_bytes=100)
    assert (kept.take([1, 2, 3, 4]), kept.nbytes) == ({1: "a", 3: "c"}, 80)


def test_the_same_key_counts_once() -> None:
    kept: Bounded[int, str] = Bounded()
    for size in (10, 30, 20):
        kept.put({1: ("a", size)}, most_bytes=100)
    assert kept.nbytes == 20


def test_what_is_larger_than_all_room_is_not_kept() -> None:
    kept: Bounded[int, str] = Bounded()
    kept.put({1: ("a", 10)}, most_bytes=0)
    assert (kept.take([1]), kept.nbytes) == ({}, 0)


def test_it_begins_again_with_nothing() -> None:
    kept: Bounded[int, str] = Bounded()
    kept.put({1: ("a", 10)}, most_bytes=100)
    kept.begin_again()
    assert (kept.take([1]), kept.nbytes) == ({}, 0)
