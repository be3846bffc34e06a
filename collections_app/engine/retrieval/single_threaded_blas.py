"""Matrix products on one core each.

Searches run side by side, and idle cores help in small chunks (`parallel`). A product that BLAS splits among threads
waits for the slowest of them, which on a busy machine takes a hundred times as long as the product itself. And a thread
of BLAS that was woken spins for a while before it sleeps again, which adds up in a worker that pools many short pages.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np  # noqa: F401 - loaded first: its BLAS is the library whose threads are limited
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_LIBRARIES = ThreadpoolController().select(user_api="blas").lib_controllers


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let BLAS use one thread in this block, and from then on in this process: restoring more would wake them."""
    for library in _LIBRARIES:
        if library.num_threads != 1:
            library.set_num_threads(1)
    yield
