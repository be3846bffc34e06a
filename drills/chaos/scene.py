"""One document whose new content is on its way while something breaks."""

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
    """Something that must happen did not."""


@dataclass(frozen=True)
class Stage:
    """What all scenes share: a stack, and what stands between it and the world."""

    stack: Stack
    proxy: FaultyProxy
    disk: SmallDisk | None
    failpoint: Path
    files: Path

    def arm(self, what: str) -> None:
        """Tell the workers where to stop; nothing takes it back."""
        draft = self.failpoint.with_suffix(".draft")
        draft.write_text(what, encoding="utf-8")
        draft.replace(self.failpoint)

    def stopped_worker(self) -> int:
        """The worker process that has stopped at its failpoint, once there is one."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [pid for pid in descendants(self.stack.pid_of("worker")) if is_stopped(pid)]
            return bool(found)

        until(look, "no worker came to the failpoint")
        return found[0]


@dataclass(frozen=True)
class Scene:
    """One run: the worker `victim` has stopped at a failpoint with the document of `collection` in its hands."""

    stage: Stage
    collection: str
    victim: int

    def go_on(self) -> None:
        os.kill(self.victim, signal.SIGCONT)

    def state(self) -> tuple[str, str]:
        """As `checks.state`; nothing while the database is away."""
        try:
            with self.stage.stack.connect() as database:
                return checks.state(database, self.collection)
        except psycopg.OperationalError:
            return "", ""

    def orphans(self) -> set[str]:
        with self.stage.stack.connect() as database:
            return checks.orphans(database, self.stage.files)

    def lost_leases(self) -> int:
        """How often a worker has said that its document is somebody else's by now."""
        return (self.stage.stack.home.logs / "worker.log").read_text(encoding="utf-8").count("lease_lost")

    def is_done(self) -> bool:
        return self.state()[0] in ("ready", "failed")

    def until_felt(self) -> None:
        """Wait until the document is done all the same, or waits for something."""
        until(lambda: self.is_done() or self.state()[1] != "", "the fault was not felt")

    def let_time_pass(self) -> None:
        """Leases run out, and whoever waits may try again: what time would bring, at once. Not where a worker stands
        still with a lock in its hands: that one, time itself must bring.
        """
        with self.stage.stack.connect() as database:
            database.execute(_LATER)


def until(done: Callable[[], bool], what: str, *, within_s: float = _DEADLINE_S) -> float:
    """Wait for something; the seconds it took."""
    began = time.monotonic()
    if not processes.wait_until(done, within_s=within_s):
        raise Stuck(what)
    return time.monotonic() - began
