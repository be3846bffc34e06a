"""Things that are kept close at hand, up to so many bytes; those asked for last stay longest."""

from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Bounded(Generic[Key, Value]):
    """Safe to use from many threads. What is taken out is shared with whoever else does so: nobody may change it."""

    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        """With nothing, and with a lock that nobody holds."""
        self._lock = Lock()
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self.nbytes = 0

    def take(self, keys: Collection[Key]) -> dict[Key, Value]:
        """Those of the keys that are there."""
        found = {}
        with self._lock:
            for key in keys:
                if (kept := self._kept.get(key)) is not None:
                    self._kept.move_to_end(key)
                    found[key] = kept[0]
        return found

    def put(self, values: Mapping[Key, tuple[Value, int]], *, most_bytes: int) -> None:
        """Keep values that take so many bytes each, and let go of others until all take at most `most_bytes`."""
        with self._lock:
            for key, (value, size) in values.items():
                _, before = self._kept.pop(key, (None, 0))
                self._kept[key] = (value, size)
                self.nbytes += size - before
            while self.nbytes > most_bytes:
                _, (_, size) = self._kept.popitem(last=False)
                self.nbytes -= size
