"""The list of running children in a file, so that another process can end them after the stack was killed.

It has two readers: the watchdog, which notices at once that the stack was killed, and the next start, in case the
watchdog was killed too.
"""

import json
import os
import signal
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from paliapi.stack import processes

_TIMEOUT_S = 6.0


@dataclass(frozen=True, slots=True)
class Record:
    """A child: its process id, its start time (process ids are reused), and the signal that stops it."""

    name: str
    pid: int
    started: float
    stop_signal: int


def write(path: Path, records: Iterable[Record]) -> None:
    """Replace the list atomically."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps([asdict(record) for record in records]), encoding="utf-8")
    draft.replace(path)


def read(path: Path) -> list[Record]:
    """Return the list, or an empty one if it is missing or was truncated by a crash of the machine."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [
            Record(str(row["name"]), int(row["pid"]), float(row["started"]), int(row["stop_signal"])) for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def end_processes(path: Path, *, timeout_s: float = _TIMEOUT_S) -> list[str]:
    """End the listed processes that still run, and return their names. Other processes are never touched."""
    running = [record for record in read(path) if _still_runs(record)]
    for record in reversed(running):
        processes.signal_one(record.pid, record.stop_signal)
    processes.wait_until(lambda: not any(_still_runs(record) for record in running), within_s=timeout_s)
    for record in running:
        if _still_runs(record):
            processes.signal_group(record.pid, signal.SIGKILL)
    processes.wait_until(lambda: not any(_still_runs(record) for record in running), within_s=timeout_s)
    path.unlink(missing_ok=True)
    return [record.name for record in running]


def _still_runs(record: Record) -> bool:
    return record.pid != os.getpid() and processes.alive(record.pid) and processes.is_same(record.pid, record.started)
