"""Arrays of halves in a file of this process alone: more of them than memory should hold.

The file has no name, so it is gone with the process, whatever ends that. It is written round and round, what is new
over what is oldest. Whoever reads takes no lock: an array counts if its place is still its own afterwards.
"""

import os
import tempfile
import weakref
from collections import deque
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
import structlog

from collections_app.engine.retrieval.multivector import MultiVector

log = structlog.get_logger(__name__)

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where an array lies."""

    key: Hashable
    start: int
    shape: tuple[int, ...]


class _File:
    """A file without a name, closed when nobody holds it any more."""

    def __init__(self, folder: Path) -> None:
        with tempfile.TemporaryFile(dir=folder) as file:
            self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)


class Scratch(Generic[Key]):
    """Safe to use from many threads. An array of a key is never another one."""

    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        """With nothing; in a copied process, whose file is that of the other."""
        self._lock = Lock()
        self._unusable = False
        self._forget()

    def _forget(self) -> None:
        self._file: _File | None = None
        self._places: dict[Hashable, _Place] = {}
        self._order: deque[_Place] = deque()
        self._end = 0
        self.nbytes = 0

    def take(self, keys: Collection[Key]) -> dict[Key, MultiVector]:
        """Those of the keys that are there."""
        found = {}
        for key in keys:
            place = self._places.get(key)
            array = self._read(place) if place else None
            # Whoever writes forgets first what lies there.
            if array is not None and self._places.get(key) is place:
                found[key] = array
        return found

    def put(self, arrays: Mapping[Key, MultiVector], *, folder: Path, most_bytes: int) -> None:
        """Keep them in a file of at most so many bytes in that folder; without a disk for it, do nothing."""
        with self._lock:
            if self._unusable:
                return
            try:
                for key, array in arrays.items():
                    if key not in self._places and 0 < array.nbytes <= most_bytes:
                        self._write(key, array, self._opened(folder), most_bytes)
            except OSError as problem:
                # Others need what there is of a disk that is full.
                self._forget()
                self._unusable = True
                log.warning("scratch_file_unusable", folder=str(folder), error=str(problem))

    def _opened(self, folder: Path) -> _File:
        if self._file is None:
            self._file = _File(folder)
        return self._file

    def _write(self, key: Key, array: MultiVector, file: _File, most_bytes: int) -> None:
        start = self._end
        if start + array.nbytes > most_bytes:
            # What lies behind is the oldest.
            while self._order and self._order[0].start >= start:
                self._forget_oldest()
            start = 0
        while self._order and start <= self._order[0].start < start + array.nbytes:
            self._forget_oldest()
        written = os.pwrite(file.descriptor, np.ascontiguousarray(array).data, start)
        if written != array.nbytes:
            raise OSError(f"{written} bytes of {array.nbytes} were written")
        place = _Place(key, start, array.shape)
        self._order.append(place)
        self._places[key] = place
        self._end = start + array.nbytes
        self.nbytes = max(self.nbytes, self._end)

    def _forget_oldest(self) -> None:
        del self._places[self._order.popleft().key]

    def _read(self, place: _Place) -> MultiVector | None:
        file = self._file
        count = 2 * int(np.prod(place.shape))
        try:
            data = os.pread(file.descriptor, count, place.start) if file else b""
        except OSError:
            return None
        return np.frombuffer(data, dtype=np.float16).reshape(place.shape) if len(data) == count else None
