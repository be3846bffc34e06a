"""One document whose new revision is being processed while a fault is injected."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.harness.stack import Stack, descendants, is_stopped
from drills.chaos import checks
from drills.chaos.disk import SmallDisk
from drills.chaos.proxy import FaultyProxy
from paliapi.stack import processes

_DEADLINE_S = 60.0
_LATER = """
UPDATE collections_app_revision SET next_try_at = now() - interval '1 s',
       lease_until = CASE WHEN lease_until IS NULL THEN NULL ELSE now() - interval '1 s' END
WHERE id IN (SELECT id FROM collections_app_revision
             WHERE status IN ('queued', 'fetching', 'rendering', 'embedding') FOR UPDATE SKIP LOCKED)
"""


class Stuck(Exception):
    """An expected event did not happen in time."""


@dataclass(frozen=True)
class Stage:
    """What all scenes share: the stack, its disk and its proxy."""

    stack: Stack
    proxy: FaultyProxy
    disk: SmallDisk | None
    failpoint: Path
    files: Path

    def arm(self, what: str) -> None:
        """Set the failpoint at which workers stop."""
        draft = self.failpoint.with_suffix(".draft")
        draft.write_text(what, encoding="utf-8")
        draft.replace(self.failpoint)

    def stopped_worker(self) -> int:
        """Wait for a worker process to stop at the failpoint, and return it."""
        stopped: list[int] = []

        def look() -> bool:
            stopped[:] = [pid for pid in descendants(self.stack.pid_of("worker")) if is_stopped(pid)]
            return bool(stopped)

        until(look, "no worker reached the failpoint")
        return stopped[0]


@dataclass(frozen=True)
class Scene:
    """One run: the worker `victim` has stopped at a failpoint while processing the document of `collection`."""

    stage: Stage
    collection: str
    victim: int

    def resume(self) -> None:
        os.kill(self.victim, signal.SIGCONT)

    def state(self) -> tuple[str, str]:
        """Return `checks.state`, or empty values while the database is down."""
        try:
            with self.stage.stack.connect() as database:
                return checks.state(database, self.collection)
        except psycopg.OperationalError:
            return "", ""

    def orphans(self) -> set[str]:
        with self.stage.stack.connect() as database:
            return checks.orphans(database, self.stage.files)

    def lost_leases(self) -> int:
        """Count how often a worker logged that it lost its lease."""
        return (self.stage.stack.home.logs / "worker.log").read_text(encoding="utf-8").count("lease_lost")

    def is_done(self) -> bool:
        return self.state()[0] in ("ready", "failed")

    def wait_until_noticed(self) -> None:
        """Wait until the document is finished anyway, or waits for something."""
        until(lambda: self.is_done() or self.state()[1] != "", "the fault had no effect")

    def expire_leases(self) -> None:
        """Expire leases and make retries due now. Does not apply while a worker is stopped with a lock: its lease must
        expire by itself.
        """
        with self.stage.stack.connect() as database:
            database.execute(_LATER)


def until(done: Callable[[], bool], what: str, *, within_s: float = _DEADLINE_S) -> float:
    """Wait until the condition holds, and return the seconds it took."""
    began = time.monotonic()
    if not processes.wait_until(done, within_s=within_s):
        raise Stuck(what)
    return time.monotonic() - began
