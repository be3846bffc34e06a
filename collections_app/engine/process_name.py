"""Names of processes, which other processes on the same machine can check and which are unique across machines."""

import os
import socket
from functools import cache
from pathlib import Path


def name_of(pid: int) -> str:
    """Return `HOST:PID` for a process that is visible to this one."""
    return f"{_host()}:{pid}"


def is_gone(name: str) -> bool:
    """Return whether the process is known to have ended; False for one elsewhere, about which nothing is known."""
    host, _, pid = name.rpartition(":")
    if host != _host() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


@cache
def _host() -> str:
    """Return a name for the scope in which process ids are unique: this boot and, on Linux, this PID namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()
