"""A small cache whose values expire.

`cachetools.TTLCache` does the same but is not safe to use from several threads: with the lock that it needs, the
library would save fewer lines than a dependency costs.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Event, Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class TtlCache(Generic[Key, Value]):
    """The last `limit` values that were put in, each for `seconds`. Thread-safe."""

    def __init__(self, *, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._lock = Lock()
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._computations: dict[Key, Event] = {}

    def get(self, key: Key) -> Value | None:
        with self._lock:
            expires, value = self._entries.get(key, (0.0, None))
            return value if time.monotonic() < expires else None

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._entries[key] = (time.monotonic() + self._seconds, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def get_or_compute(self, key: Key, compute: Callable[[], Value], *, until: float) -> Value:
        """Return the value, computed by one of the threads that need it.

        The others wait for it until the given time (`time.monotonic`), and then compute it, too.
        """
        while (value := self.get(key)) is None:
            mine = Event()
            with self._lock:
                computation = self._computations.setdefault(key, mine)
            if computation is mine:
                return self._compute(key, compute, mine)
            # If the other thread fails, one of those that wait is the next to compute.
            if not computation.wait(until - time.monotonic()):
                return compute()
        return value

    def _compute(self, key: Key, compute: Callable[[], Value], done: Event) -> Value:
        try:
            value = compute()
            self.put(key, value)
        finally:
            with self._lock:
                del self._computations[key]
            done.set()
        return value
