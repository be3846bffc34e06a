"""A process takes away from itself what it does not need before it opens a stranger's file."""

import ctypes
import resource
import sys
from contextlib import suppress

_NEW_USER = 0x10000000
_NEW_NET = 0x40000000


def confine(*, memory_mb: int, cpu_s: int) -> bool:
    """Limit memory and processor time, forbid files and processes; True if there is no network any more."""
    offline = leave_network()
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_NOFILE, 64)
    limit_work(memory_mb=memory_mb, cpu_s=cpu_s)
    return offline


def limit_work(*, memory_mb: int, cpu_s: int) -> None:
    """Memory and processor time, for this process and each that it starts; and no image of it when it crashes."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, memory_mb * 1024 * 1024)
    # The soft limit ends the process by a signal that says why.
    _limit(resource.RLIMIT_CPU, cpu_s, hard=cpu_s + 5)


def limit_files(*, size_mb: int) -> None:
    """How large a file it may write."""
    _limit(resource.RLIMIT_FSIZE, size_mb * 1024 * 1024)
    _limit(resource.RLIMIT_NOFILE, 512)


def leave_network() -> bool:
    """Into an empty network namespace, where the kernel lets us."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_NEW_USER | _NEW_NET, _NEW_NET))


def _limit(what: int, soft: int, *, hard: int | None = None) -> None:
    most = resource.getrlimit(what)[1]
    wanted = soft if hard is None else hard
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    # Some systems know a limit and do not let it be set.
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (min(soft, allowed), allowed))
