"""Processes of the operating system: checking, identifying and ending them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

_POLL_S = 0.02
# Linux has /proc; elsewhere, `ps` reports the same.
_HAS_PROC = Path("/proc/self/stat").is_file()


def alive(pid: int) -> bool:
    """Check whether a process runs; a zombie does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def started_at(pid: int) -> float | None:
    """Return the start time in seconds since 1970, which together with the process id identifies a process."""
    if _HAS_PROC:
        fields = _linux_fields(pid)
        return None if fields is None else _boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    text = _ps(pid, "lstart=")
    return datetime.strptime(text, "%a %b %d %H:%M:%S %Y").astimezone().timestamp() if text else None


def is_same(pid: int, started: float, *, within_s: float = 2) -> bool:
    """Check whether the process with this id is the one that started at about that time."""
    current = started_at(pid)
    return current is not None and abs(current - started) <= within_s


def program(pid: int) -> str:
    """Return the file name of the program that the process runs, or an empty string."""
    if _HAS_PROC:
        try:
            return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except OSError:
            return ""
    return Path(_ps(pid, "comm=")).name


def signal_group(leader: int, number: int) -> None:
    """Send a signal to every remaining process of the group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def signal_one(pid: int, number: int) -> None:
    """Send a signal to a process, if it still exists."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def wait_until(done: Callable[[], bool], *, within_s: float) -> bool:
    """Wait for `done`; return False on a timeout."""
    deadline = time.monotonic() + within_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def end_group(leader: int, *, stop_signal: int, within_s: float) -> None:
    """Ask the leader to stop, and kill what remains of its group after the timeout."""
    signal_one(leader, stop_signal)
    wait_until(lambda: not alive(leader), within_s=within_s)
    signal_group(leader, signal.SIGKILL)


def _state(pid: int) -> str:
    if _HAS_PROC:
        fields = _linux_fields(pid)
        return fields[0] if fields else "Z"
    return _ps(pid, "state=")[:1] or "Z"


def _linux_fields(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the state on, skipping the name, which may contain anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _boot_time() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _ps(pid: int, column: str) -> str:
    result = subprocess.run(
        ["/bin/ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    return result.stdout.strip()
