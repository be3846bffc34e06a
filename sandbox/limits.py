"""Limits that a process puts on itself, and that its child processes inherit."""

import resource
from contextlib import suppress


def limit_work(*, memory_mb: int, cpu_s: int) -> None:
    """Limit memory and CPU time of this process and of each that it starts, and forbid core dumps."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, memory_mb * 1024 * 1024)
    # The soft limit ends the process with SIGXCPU, from which the parent learns why.
    _limit(resource.RLIMIT_CPU, cpu_s, hard=cpu_s + 5)


def limit_files(*, size_mb: int, count: int) -> None:
    """Limit the size of files that the process writes, and how many it has open."""
    _limit(resource.RLIMIT_FSIZE, size_mb * 1024 * 1024)
    _limit(resource.RLIMIT_NOFILE, count)


def forbid_processes() -> None:
    """Forbid new processes and threads. The kernel does not apply this to root."""
    _limit(resource.RLIMIT_NPROC, 0)


def _limit(kind: int, soft: int, *, hard: int | None = None) -> None:
    current = resource.getrlimit(kind)[1]
    requested = soft if hard is None else hard
    allowed = requested if current == resource.RLIM_INFINITY else min(requested, current)
    # Some systems define a limit that cannot be set.
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (min(soft, allowed), allowed))
