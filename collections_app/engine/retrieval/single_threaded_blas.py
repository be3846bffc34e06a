"""Matrix products on one core each.

Searches run side by side, and idle cores help in small chunks (`parallel`). A product that BLAS splits among threads
waits for the slowest of them, which on a busy machine takes a hundred times as long as the product itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np  # noqa: F401 - loaded first: its BLAS is the library whose threads are limited
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


class SingleThreaded:
    """A context manager. The thread limit is process-wide, so it ends only when the last context is left."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._active = 0
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._usual_threads = [library.num_threads for library in self._libraries]

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self._change(by=1)
        try:
            yield
        finally:
            self._change(by=-1)

    def _change(self, *, by: int) -> None:
        with self._lock:
            before, self._active = self._active, self._active + by
            if not before or not self._active:
                for library, usual in zip(self._libraries, self._usual_threads, strict=True):
                    library.set_num_threads(1 if self._active else usual)


single_threaded = SingleThreaded()
