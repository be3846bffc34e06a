import threading
from collections.abc import Iterator

import pytest

from collections_app.engine.rendering.prefetch import prefetch

DEADLINE_S = 20


class Source:
    """Counts up and sets an event for each number; after `last` it raises, or waits until it is stopped."""

    def __init__(self, *, last: int, error: BaseException | None = None) -> None:
        self.produced = [threading.Event() for _ in range(last + 2)]
        self.stopped = threading.Event()
        self._last, self._error = last, error

    def __iter__(self) -> Iterator[int]:
        for number in range(1, self._last + 1):
            self.produced[number].set()
            yield number
        if self._error:
            raise self._error
        self.stopped.wait(DEADLINE_S)


def nothing() -> None:
    """Stop nothing: the source ends by itself."""


def size_one(_: int) -> int:
    return 1


def test_the_source_advances_while_the_consumer_is_busy() -> None:
    source = Source(last=4)
    with prefetch(iter(source), size=size_one, max_items=3, max_size=10, stop=source.stopped.set) as numbers:
        assert next(numbers) == 1
        assert source.produced[4].wait(DEADLINE_S), "three are buffered, and one waits for room"
        assert [next(numbers) for _ in range(3)] == [2, 3, 4]


@pytest.mark.parametrize(("max_items", "max_size"), [(2, 100), (100, 2)])
def test_the_buffer_is_bounded(max_items: int, max_size: int) -> None:
    source = Source(last=9)
    with prefetch(
        iter(source), size=size_one, max_items=max_items, max_size=max_size, stop=source.stopped.set
    ) as numbers:
        assert source.produced[3].wait(DEADLINE_S)
        assert not source.produced[4].is_set()
        next(numbers)
        assert source.produced[4].wait(DEADLINE_S)
        assert not source.produced[5].is_set()


def test_an_item_larger_than_the_buffer_passes_alone() -> None:
    with prefetch(iter([5, 6]), size=int, max_items=9, max_size=1, stop=nothing) as numbers:
        assert list(numbers) == [5, 6]


def test_an_exception_follows_the_items_before_it() -> None:
    source = Source(last=2, error=KeyError("why"))
    with prefetch(iter(source), size=size_one, max_items=9, max_size=9, stop=nothing) as numbers:
        assert [next(numbers), next(numbers)] == [1, 2]
        with pytest.raises(KeyError, match="why"):
            next(numbers)


def test_stopping_early_leaves_no_thread_behind() -> None:
    source = Source(last=1)
    before = threading.active_count()
    with prefetch(iter(source), size=size_one, max_items=9, max_size=9, stop=source.stopped.set) as numbers:
        next(numbers)
    assert threading.active_count() == before


def test_a_consumer_that_takes_nothing_does_not_block() -> None:
    source = Source(last=5)
    with prefetch(iter(source), size=size_one, max_items=1, max_size=9, stop=source.stopped.set):
        assert source.produced[2].wait(DEADLINE_S)
