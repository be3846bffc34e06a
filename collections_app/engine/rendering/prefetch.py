"""An iterator that goes on in a thread of its own while its consumer is busy, by a bounded amount."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


@contextmanager
def ahead(
    source: Iterator[T], *, size: Callable[[T], int], most: int, most_size: int, stop: Callable[[], None]
) -> Iterator[Iterator[T]]:
    """The items of `source`, and at its end the exception that it raised, as if it were asked directly.

    No more than `most` items of `most_size` in all wait to be taken; one that is larger waits alone. When the block
    ends, `stop` makes a source end that is waiting for something, and the thread ends with it.
    """
    waiting: _Waiting[T] = _Waiting(size=size, most=most, most_size=most_size)
    thread = threading.Thread(target=waiting.fill, args=(source,), name="ahead", daemon=True)
    thread.start()
    try:
        yield waiting.taken()
    finally:
        waiting.close()
        stop()
        thread.join()


class _Waiting(Generic[T]):
    """What was made and not taken yet."""

    def __init__(self, *, size: Callable[[T], int], most: int, most_size: int) -> None:
        self._size, self._most, self._most_size = size, most, most_size
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._ended = False
        self._problem: BaseException | None = None

    def fill(self, source: Iterator[T]) -> None:
        try:
            for item in source:
                if not self._put(item):
                    return
        except BaseException as problem:
            self._problem = problem  # for the consumer
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def taken(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._ended)
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
        if self._problem is not None:
            raise self._problem

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, item: T) -> bool:
        """Wait for room, and keep the item; False if nobody wants more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(item))
            self._items.append(item)
            self._changed.notify_all()
            return not self._closed

    def _has_room(self, item: T) -> bool:
        size = sum(map(self._size, self._items)) + self._size(item)
        return not self._items or (len(self._items) < self._most and size <= self._most_size)
