"""A cache of arrays in a file, for more of them than memory should hold.

The file belongs to this process and has no name, so it disappears with the process, however that ends. It is written
as a ring: new arrays overwrite the oldest. Readers take no lock; what they read counts if its slot is still valid
afterwards.
"""

import math
import os
import tempfile
import weakref
from collections import deque
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

log = structlog.get_logger(__name__)

Array: TypeAlias = NDArray[Any]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class _Slot:
    """The position of an array in the file."""

    key: Hashable
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class _File:
    """An unnamed file that is closed when the last reference to it is gone."""

    def __init__(self, folder: Path) -> None:
        with tempfile.TemporaryFile(dir=folder) as file:
            self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)


class FileCache(Generic[Key]):
    """Thread-safe. The array of a key must always be the same one."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Empty the cache; for a forked process, whose file is its parent's."""
        self._lock = Lock()
        self._unusable = False
        self._clear()

    def _clear(self) -> None:
        self._file: _File | None = None
        self._slots: dict[Hashable, _Slot] = {}
        self._oldest_first: deque[_Slot] = deque()
        self._end = 0
        self.nbytes = 0

    def get_many(self, keys: Collection[Key]) -> dict[Key, Array]:
        """Return the cached arrays by key; keys that are not cached are left out."""
        arrays = {}
        for key in keys:
            slot = self._slots.get(key)
            array = self._read(slot) if slot else None
            # A writer drops a slot before it overwrites it.
            if array is not None and self._slots.get(key) is slot:
                arrays[key] = array
        return arrays

    def put(self, arrays: Mapping[Key, Array], *, folder: Path, max_bytes: int) -> None:
        """Add arrays, in a file of at most `max_bytes` in that folder; do nothing if the disk refuses."""
        with self._lock:
            if self._unusable:
                return
            try:
                for key, array in arrays.items():
                    if key not in self._slots and 0 < array.nbytes <= max_bytes:
                        self._write(key, array, self._opened(folder), max_bytes)
            except OSError as problem:
                # Give the space back: other processes need it more when a disk is full.
                self._clear()
                self._unusable = True
                log.warning("scratch_file_unusable", folder=str(folder), error=str(problem))

    def _opened(self, folder: Path) -> _File:
        if self._file is None:
            self._file = _File(folder)
        return self._file

    def _write(self, key: Key, array: Array, file: _File, max_bytes: int) -> None:
        start = self._end
        if start + array.nbytes > max_bytes:
            # The arrays from here to the end of the file are the oldest.
            while self._oldest_first and self._oldest_first[0].start >= start:
                self._drop_oldest()
            start = 0
        while self._oldest_first and start <= self._oldest_first[0].start < start + array.nbytes:
            self._drop_oldest()
        written = os.pwrite(file.descriptor, np.ascontiguousarray(array).data, start)
        if written != array.nbytes:
            raise OSError(f"{written} bytes of {array.nbytes} were written")
        slot = _Slot(key, start, array.shape, array.dtype)
        self._oldest_first.append(slot)
        self._slots[key] = slot
        self._end = start + array.nbytes
        self.nbytes = max(self.nbytes, self._end)

    def _drop_oldest(self) -> None:
        del self._slots[self._oldest_first.popleft().key]

    def _read(self, slot: _Slot) -> Array | None:
        file = self._file
        size = slot.dtype.itemsize * math.prod(slot.shape)
        try:
            data = os.pread(file.descriptor, size, slot.start) if file else b""
        except OSError:
            return None
        return np.frombuffer(data, dtype=slot.dtype).reshape(slot.shape) if len(data) == size else None
