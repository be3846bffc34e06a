"""The work of one search on several processors, as far as they are idle.

The calling thread works, and helper threads join in while there is work left. A helper that has not begun is not
waited for, and one that has begun delays the caller by one chunk at most. So when all processors are busy, a search
takes as long as it would without helpers. Asking for help costs time as well, so a search does not ask when others in
this process keep the processors busy.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

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


class Searches:
    """How many searches this process runs at the moment."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start at zero; for a forked process, which inherits no thread that runs one."""
        self._lock = Lock()
        self.running = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a search while the block runs."""
        with self._lock:
            self.running += 1
        try:
            yield
        finally:
            with self._lock:
                self.running -= 1


searches = Searches()
_helpers = HelperPool(min(_MAX_HELPERS, _processors() - 1))
for _state in (searches, _helpers):
    os.register_at_fork(after_in_child=_state.reset)


def run_shared(work: Callable[[], None], *, parts: int) -> None:
    """Run `work` in at most `parts` threads, this one included; the work itself must not do anything twice."""
    others = max(searches.running - 1, 0)
    _helpers.run(work, helpers=max(0, min(parts - 1, _helpers.size - others)))


def run_in_chunks(work: Callable[[int, int], None], count: int, *, size: int) -> None:
    """Call `work(start, stop)` for chunks of `size` that cover 0 to `count`, in any order, some at the same time.

    This pays off if a chunk takes a tenth of a millisecond or more and releases the interpreter's lock.
    """
    starts = iter(range(0, count, size))

    def work_through() -> None:
        for start in starts:
            work(start, min(start + size, count))

    run_shared(work_through, parts=-(-count // size))
