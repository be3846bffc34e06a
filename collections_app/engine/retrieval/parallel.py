"""One search's work on several processors, as far as they are idle.

Whoever asks does the work, and others help while there is some left. Nobody is waited for who has not begun, and who
has begun is waited for no longer than one part takes: where all processors are busy, it is as if nobody had helped.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Searches run side by side as well.
_MOST_HELPERS = 3


class Helpers:
    """The threads of this process that help, so many at most; there are none before they are needed."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.begin_again()

    def begin_again(self) -> None:
        """Without threads, which a copied process has not."""
        self._pool = ThreadPoolExecutor(max(1, self.most), thread_name_prefix="helper")

    def share(self, work: Callable[[], None], *, wanted: int) -> None:
        """`work`, here and by so many others at most; it must end when there is nothing left to do."""
        asked = [self._pool.submit(work) for _ in range(min(wanted, self.most))]
        try:
            work()
        finally:
            begun = [one for one in asked if not one.cancel()]
            # Until all have ended, whoever failed: what they work on may be gone afterwards.
            for one in begun:
                one.exception()
        for one in begun:
            one.result()


def _processors() -> int:
    """Those that this process may use, where the system tells; else those that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_helpers = Helpers(min(_MOST_HELPERS, _processors() - 1))
os.register_at_fork(after_in_child=_helpers.begin_again)


def together(work: Callable[[], None], *, parts: int) -> None:
    """`work`, here and by at most `parts` - 1 others; all do the same, and see to it that nothing is done twice."""
    _helpers.share(work, wanted=parts - 1)


def spread(work: Callable[[int, int], None], count: int, *, each: int) -> None:
    """`work(start, stop)` for everything from 0 to `count`, in parts of `each`, in any order and some at once.

    It is worth it where a part takes a tenth of a millisecond or more, outside the interpreter's lock.
    """
    starts = iter(range(0, count, each))

    def parts() -> None:
        for start in starts:
            work(start, min(start + each, count))

    together(parts, parts=-(-count // each))
