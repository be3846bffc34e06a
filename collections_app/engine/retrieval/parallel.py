"""The work of one search on several processors, as far as they are idle.

The calling thread works, and helper threads join in while there is work left. A helper that has not begun is not
waited for, and one that has begun delays the caller by one chunk at most. So when all processors are busy, a search
takes as long as it would without helpers.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Other searches run at the same time.
_MAX_HELPERS = 3


class HelperPool:
    """At most `size` threads that help; none is started before it is needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.reset()

    def reset(self) -> None:
        """Replace the threads; for a forked process, which does not inherit them."""
        self._pool = ThreadPoolExecutor(max(1, self.size), thread_name_prefix="helper")

    def run(self, work: Callable[[], None], *, helpers: int) -> None:
        """Run `work` here and in at most `helpers` threads; it must return when there is nothing left to do."""
        futures = [self._pool.submit(work) for _ in range(min(helpers, self.size))]
        try:
            work()
        finally:
            started = [future for future in futures if not future.cancel()]
            # Wait for all of them even if one failed: the caller may free what they work on.
            for future in started:
                future.exception()
        for future in started:
            future.result()


def _processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_helpers = HelperPool(min(_MAX_HELPERS, _processors() - 1))
os.register_at_fork(after_in_child=_helpers.reset)


def run_shared(work: Callable[[], None], *, parts: int) -> None:
    """Run `work` in at most `parts` threads, this one included; the work itself must not do anything twice."""
    _helpers.run(work, helpers=parts - 1)


def run_in_chunks(work: Callable[[int, int], None], count: int, *, size: int) -> None:
    """Call `work(start, stop)` for chunks of `size` that cover 0 to `count`, in any order, some at the same time.

    This pays off if a chunk takes a tenth of a millisecond or more and releases the interpreter's lock.
    """
    starts = iter(range(0, count, size))

    def work_through() -> None:
        for start in starts:
            work(start, min(start + size, count))

    run_shared(work_through, parts=-(-count // size))
