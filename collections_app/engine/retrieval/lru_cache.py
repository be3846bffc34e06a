"""A cache limited by bytes that evicts the least recently used values.

`cachetools.LRUCache` is not used: it is not thread-safe, its limit is fixed at creation while ours is a setting passed
to each `put`, and it reads entries one by one, where a search reads hundreds under one lock.
"""

from collections import OrderedDict, deque
from collections.abc import Collection, Hashable, Mapping
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Thread-safe. Callers share the values they get and must not change them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Empty the cache and replace its lock; for a forked process, where another thread may have held it."""
        self._lock = Lock()
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self.nbytes = 0

    def get_many(self, keys: Collection[Key]) -> dict[Key, Value]:
        """Return the cached values by key, in the order of the keys; those that are not cached are left out."""
        with self._lock:
            entries = self._entries
            values = {key: entry[0] for key in keys if (entry := entries.get(key)) is not None}
            deque(map(entries.move_to_end, values), maxlen=0)  # a loop without bytecode
        return values

    def put(self, values: Mapping[Key, tuple[Value, int]], *, max_bytes: int) -> None:
        """Add values, each with its size in bytes, then evict until all take at most `max_bytes`."""
        with self._lock:
            for key, (value, size) in values.items():
                _, old_size = self._entries.pop(key, (None, 0))
                self._entries[key] = (value, size)
                self.nbytes += size - old_size
            while self.nbytes > max_bytes:
                _, (_, size) = self._entries.popitem(last=False)
                self.nbytes -= size
