"""Matrix products on one core each.

Searches run side by side, and idle cores help them in small parts (`engine.spread`). A product that the library splits
among threads waits for the slowest of them, which on a busy machine takes a hundred times as long as the product.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np  # noqa: F401 - loaded first: its library is the one that has threads
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


class SingleThreaded:
    """The number of threads belongs to the process: it comes back when the last who wants one is done."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._usual = [library.num_threads for library in self._libraries]

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self._change(by=1)
        try:
            yield
        finally:
            self._change(by=-1)

    def _change(self, *, by: int) -> None:
        with self._lock:
            before, self._inside = self._inside, self._inside + by
            if not before or not self._inside:
                for library, usual in zip(self._libraries, self._usual, strict=True):
                    library.set_num_threads(1 if self._inside else usual)


single_threaded = SingleThreaded()
