"""The list of running children, kept in a file, so that whoever outlives us can end them.

Two readers: the warden, which notices at once when we were killed, and our next start, should the
warden have been killed too.
"""

import json
import os
import signal
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from paliapi.stack import processes

_PATIENCE_S = 6.0


@dataclass(frozen=True, slots=True)
class Record:
    """One child: its number, when it started (numbers are used again), and how it likes to be stopped."""

    name: str
    pid: int
    started: float
    stop_signal: int


def write(path: Path, records: Iterable[Record]) -> None:
    """Replace the list, in one step."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps([asdict(record) for record in records]), encoding="utf-8")
    draft.replace(path)


def read(path: Path) -> list[Record]:
    """The list, or nothing if there is none or a crash of the machine cut it."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [
            Record(str(row["name"]), int(row["pid"]), float(row["started"]), int(row["stop_signal"])) for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def end_all(path: Path, *, patience_s: float = _PATIENCE_S) -> list[str]:
    """End what is on the list and still runs; answer the names. Nobody else's process is ever touched."""
    found = [record for record in read(path) if _is_there(record)]
    for record in reversed(found):
        processes.signal_one(record.pid, record.stop_signal)
    processes.wait_until(lambda: not any(_is_there(record) for record in found), within_s=patience_s)
    for record in found:
        if _is_there(record):
            processes.signal_group(record.pid, signal.SIGKILL)
    processes.wait_until(lambda: not any(_is_there(record) for record in found), within_s=patience_s)
    path.unlink(missing_ok=True)
    return [record.name for record in found]


def _is_there(record: Record) -> bool:
    return record.pid != os.getpid() and processes.alive(record.pid) and processes.is_same(record.pid, record.started)
