"""What the operating system knows of a process: is it there, is it still the one we knew, end it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

_POLL_S = 0.02
# Linux; elsewhere `ps` knows the same.
_HAS_PROC = Path("/proc/self/stat").is_file()


def alive(pid: int) -> bool:
    """Is there such a process that still runs? One that only waits to be reaped does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def started_at(pid: int) -> float | None:
    """When the process started, as seconds since 1970; with the number it tells one process from all others."""
    if _HAS_PROC:
        fields = _linux_fields(pid)
        return None if fields is None else _boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    words = _ps(pid, "lstart=")
    return datetime.strptime(words, "%a %b %d %H:%M:%S %Y").astimezone().timestamp() if words else None


def is_same(pid: int, started: float) -> bool:
    """Is the process with this number the one that started then?"""
    now = started_at(pid)
    return now is not None and abs(now - started) <= 2


def program(pid: int) -> str:
    """The file name of the program the process runs, or nothing."""
    if _HAS_PROC:
        try:
            return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except OSError:
            return ""
    return Path(_ps(pid, "comm=")).name


def signal_group(leader: int, number: int) -> None:
    """Send a signal to every process of the group, if there is any left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def signal_one(pid: int, number: int) -> None:
    """Send a signal to one process, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def wait_until(done: Callable[[], bool], *, within_s: float) -> bool:
    """Wait for `done`; False when the time ran out."""
    deadline = time.monotonic() + within_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def end_group(leader: int, *, gently: int, within_s: float) -> None:
    """Ask the leader to stop; what is left of its group when the time is over is killed."""
    signal_one(leader, gently)
    wait_until(lambda: not alive(leader), within_s=within_s)
    signal_group(leader, signal.SIGKILL)


def _state(pid: int) -> str:
    if _HAS_PROC:
        fields = _linux_fields(pid)
        return fields[0] if fields else "Z"
    return _ps(pid, "state=")[:1] or "Z"


def _linux_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on: the name before it may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _boot_time() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _ps(pid: int, column: str) -> str:
    answer = subprocess.run(
        ["/bin/ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    return answer.stdout.strip()
