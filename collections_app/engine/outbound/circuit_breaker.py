"""How long the threads of a process may wait for a service that may not answer.

Some may wait for long: a GPU that sleeps when nobody asks needs time to wake. The others wait shortly; and once nothing
was heard, not at all, but for one of them every few seconds, who finds out whether that is over. So a service that
hangs holds only some of the threads, and the others go on with what they can do without it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from threading import Lock


class Stay(Enum):
    """How long somebody may wait."""

    LONG = auto()
    SHORT = auto()
    NONE = auto()


class Gate:
    """Safe to use from many threads; `places` is how many may wait for long."""

    def __init__(self, *, places: int, pause_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._lock = Lock()
        self._places = places
        self._pause_s = pause_s
        self._now = now
        self._next_look_at: float | None = None  # None while it answers

    @contextmanager
    def enter(self, *, hasty: bool = False) -> Iterator[Stay]:
        """A place, until the end of the block; whoever is in a hurry takes none."""
        stay = self._stay(hasty=hasty)
        try:
            yield stay
        finally:
            if stay is Stay.LONG:
                with self._lock:
                    self._places += 1

    def heard(self) -> None:
        """The service has answered."""
        with self._lock:
            self._next_look_at = None

    def not_heard(self) -> None:
        """Somebody has waited in vain."""
        with self._lock:
            self._next_look_at = self._now() + self._pause_s

    def _stay(self, *, hasty: bool) -> Stay:
        with self._lock:
            if self._places and not hasty:
                self._places -= 1
                return Stay.LONG
            if self._next_look_at is not None:
                if self._now() < self._next_look_at:
                    return Stay.NONE
                self._next_look_at = self._now() + self._pause_s
            return Stay.SHORT
