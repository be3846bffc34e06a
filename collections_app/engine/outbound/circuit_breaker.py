"""Circuit breaker and bulkhead: how long the threads of a process may wait for a service that may not respond.

A limited number of threads may wait for long, because a GPU that was shut down for lack of work needs time to start.
The others wait briefly. After a failure they do not wait at all, except for one probe every few seconds that finds out
whether the service is back. So a service that hangs holds only some of the threads.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from threading import Lock


class WaitBudget(Enum):
    """How long a caller may wait for the service."""

    LONG = auto()
    SHORT = auto()
    NONE = auto()


class CircuitBreaker:
    """Safe to use from many threads; at most `max_long_waits` callers may wait for long at once."""

    def __init__(
        self, *, max_long_waits: int, probe_interval_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = Lock()
        self._free_long_waits = max_long_waits
        self._probe_interval_s = probe_interval_s
        self._now = now
        self._next_probe_at: float | None = None  # None while the circuit is closed

    @contextmanager
    def admit(self, *, fail_fast: bool = False) -> Iterator[WaitBudget]:
        """Yield how long the caller may wait. With `fail_fast` it never takes one of the long waits."""
        budget = self._take_budget(fail_fast=fail_fast)
        try:
            yield budget
        finally:
            if budget is WaitBudget.LONG:
                with self._lock:
                    self._free_long_waits += 1

    def succeeded(self) -> None:
        """Close the circuit: the service has responded."""
        with self._lock:
            self._next_probe_at = None

    def failed(self) -> None:
        """Open the circuit: a caller has timed out."""
        with self._lock:
            self._next_probe_at = self._now() + self._probe_interval_s

    def _take_budget(self, *, fail_fast: bool) -> WaitBudget:
        with self._lock:
            if self._free_long_waits and not fail_fast:
                self._free_long_waits -= 1
                return WaitBudget.LONG
            if self._next_probe_at is not None:
                if self._now() < self._next_probe_at:
                    return WaitBudget.NONE
                self._next_probe_at = self._now() + self._probe_interval_s
            return WaitBudget.SHORT
