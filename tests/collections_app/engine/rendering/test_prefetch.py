import threading
from collections.abc import Iterator

import pytest

from collections_app.engine.rendering.prefetch import prefetch

DEADLINE_S = 20


class Source:
    """Counts up, and tells when it has made a number; after `last` it waits until it is stopped, or raises."""

    def __init__(self, *, last: int, problem: BaseException | None = None) -> None:
        self.made = [threading.Event() for _ in range(last + 2)]
        self.stopped = threading.Event()
        self._last, self._problem = last, problem

    def __iter__(self) -> Iterator[int]:
        for number in range(1, self._last + 1):
            self.made[number].set()
            yield number
        if self._problem:
            raise self._problem
        self.stopped.wait(DEADLINE_S)


def nothing() -> None:
    """There is nothing to stop."""


def size_one(_: int) -> int:
    return 1


def test_the_source_goes_on_while_the_consumer_is_busy() -> None:
    source = Source(last=4)
    with prefetch(iter(source), size=size_one, max_items=3, max_size=10, stop=source.stopped.set) as numbers:
        assert next(numbers) == 1
        assert source.made[4].wait(DEADLINE_S), "three are there, and one waits for room"
        assert [next(numbers) for _ in range(3)] == [2, 3, 4]


@pytest.mark.parametrize(("max_items", "max_size"), [(2, 100), (100, 2)])
def test_no_more_waits_than_there_is_room_for(max_items: int, max_size: int) -> None:
    source = Source(last=9)
    with prefetch(
        iter(source), size=size_one, max_items=max_items, max_size=max_size, stop=source.stopped.set
    ) as numbers:
        assert source.made[3].wait(DEADLINE_S)
        assert not source.made[4].is_set()
        next(numbers)
        assert source.made[4].wait(DEADLINE_S)
        assert not source.made[5].is_set()


def test_what_is_larger_than_the_room_passes_alone() -> None:
    with prefetch(iter([5, 6]), size=int, max_items=9, max_size=1, stop=nothing) as numbers:
        assert list(numbers) == [5, 6]


def test_an_exception_comes_after_what_was_made_before_it() -> None:
    source = Source(last=2, problem=KeyError("why"))
    with prefetch(iter(source), size=size_one, max_items=9, max_size=9, stop=nothing) as numbers:
        assert [next(numbers), next(numbers)] == [1, 2]
        with pytest.raises(KeyError, match="why"):
            next(numbers)


def test_who_stops_early_leaves_no_thread_behind() -> None:
    source = Source(last=1)
    before = threading.active_count()
    with prefetch(iter(source), size=size_one, max_items=9, max_size=9, stop=source.stopped.set) as numbers:
        next(numbers)
    assert threading.active_count() == before


def test_who_takes_nothing_is_not_waited_for() -> None:
    source = Source(last=5)
    with prefetch(iter(source), size=size_one, max_items=1, max_size=9, stop=source.stopped.set):
        assert source.made[2].wait(DEADLINE_S)
