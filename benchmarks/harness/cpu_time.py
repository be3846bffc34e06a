"""The CPU time of our descendants, by what they are."""

import os
import re
from contextlib import suppress
from pathlib import Path

from benchmarks.harness.memory import family

_ROLES = {
    "web": re.compile("gunicorn"),
    "worker": re.compile("celery"),
    "embeddings": re.compile("query_service|-m embeddings"),
    "postgres": re.compile("postgres"),
    "redis": re.compile("valkey|redis"),
}
_TICKS = os.sysconf("SC_CLK_TCK")


def by_role() -> dict[str, float]:
    """Return the CPU seconds of each kind of process so far; `clients` is this process, which sends the load."""
    spent: dict[str, float] = {}
    for pid in family(os.getpid()):
        with suppress(OSError):  # it has ended
            role = _role(pid)
            spent[role] = spent.get(role, 0.0) + _seconds(pid)
    return spent


def _role(pid: int) -> str:
    if pid == os.getpid():
        return "clients"
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return next((role for role, pattern in _ROLES.items() if pattern.search(command)), "other")


def _seconds(pid: int) -> float:
    """Return the time of a process, with that of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS
