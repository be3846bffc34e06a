"""Restrictions that a process puts on itself before it opens an untrusted file."""

import ctypes
import resource
import sys
from contextlib import suppress

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


def confine(*, memory_mb: int, cpu_s: int) -> bool:
    """Limit memory and CPU time, forbid files and processes, and return whether the network is cut off."""
    offline = leave_network()
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_NOFILE, 64)
    limit_work(memory_mb=memory_mb, cpu_s=cpu_s)
    return offline


def limit_work(*, memory_mb: int, cpu_s: int) -> None:
    """Limit memory and CPU time of this process and of each that it starts, and forbid core dumps."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, memory_mb * 1024 * 1024)
    # The soft limit ends the process with SIGXCPU, from which the parent learns why.
    _limit(resource.RLIMIT_CPU, cpu_s, hard=cpu_s + 5)


def limit_files(*, size_mb: int) -> None:
    """Limit the size of files that the process writes, and how many it has open."""
    _limit(resource.RLIMIT_FSIZE, size_mb * 1024 * 1024)
    _limit(resource.RLIMIT_NOFILE, 512)


def leave_network() -> bool:
    """Move to an empty network namespace and return whether the kernel allowed it."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWUSER | _CLONE_NEWNET, _CLONE_NEWNET))


def _limit(kind: int, soft: int, *, hard: int | None = None) -> None:
    current = resource.getrlimit(kind)[1]
    requested = soft if hard is None else hard
    allowed = requested if current == resource.RLIM_INFINITY else min(requested, current)
    # Some systems define a limit that cannot be set.
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (min(soft, allowed), allowed))
