"""Run an iterator ahead of its consumer, in a separate thread and by a bounded amount."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


@contextmanager
def prefetch(
    source: Iterator[T], *, size: Callable[[T], int], max_items: int, max_size: int, stop: Callable[[], None]
) -> Iterator[Iterator[T]]:
    """Yield an iterator over the items of `source`, which ends with the exception that `source` raised, if any.

    At most `max_items` items of `max_size` in total are buffered; a larger item is buffered alone. At the end of the
    block, `stop` must make a blocked source end, and the thread ends with it.
    """
    buffer: _Buffer[T] = _Buffer(size=size, max_items=max_items, max_size=max_size)
    thread = threading.Thread(target=buffer.fill, args=(source,), name="prefetch", daemon=True)
    thread.start()
    try:
        yield buffer.drain()
    finally:
        buffer.close()
        stop()
        thread.join()


class _Buffer(Generic[T]):
    """Items that were produced and not yet consumed."""

    def __init__(self, *, size: Callable[[T], int], max_items: int, max_size: int) -> None:
        self._size, self._max_items, self._max_size = size, max_items, max_size
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._ended = False
        self._error: BaseException | None = None

    def fill(self, source: Iterator[T]) -> None:
        try:
            for item in source:
                if not self._put(item):
                    return
        except BaseException as error:
            self._error = error  # raised in the consumer
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def drain(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._ended)
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, item: T) -> bool:
        """Wait for room and add the item; return False if the consumer has stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(item))
            self._items.append(item)
            self._changed.notify_all()
            return not self._closed

    def _has_room(self, item: T) -> bool:
        size = sum(map(self._size, self._items)) + self._size(item)
        return not self._items or (len(self._items) < self._max_items and size <= self._max_size)
