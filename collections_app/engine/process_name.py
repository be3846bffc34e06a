"""Names for processes that other processes of the same machine can check, and nobody else can mistake for theirs."""

import os
import socket
from functools import cache
from pathlib import Path


def name_of(pid: int) -> str:
    """`PLACE:PID`, for a process that this one could see."""
    return f"{_place()}:{pid}"


def is_gone(name: str) -> bool:
    """Whether the process is known to be no more; False for one elsewhere, of which nothing is known."""
    place, _, pid = name.rpartition(":")
    if place != _place() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


@cache
def _place() -> str:
    """Where process numbers mean the same: this start of this machine, and on Linux this namespace of processes."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()
