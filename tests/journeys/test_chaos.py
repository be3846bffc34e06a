"""Workers that are killed or stall at a failpoint; `make chaos` breaks every part at every point."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.ownership import acting_for
from benchmarks.harness.stack import descendants, is_stopped
from collections_app.models import Page, Revision
from paliapi.stack import processes
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import assert_consistent, end_waits, latest_revision, shown_texts
from tests.journeys.conftest import Web
from tests.journeys.test_ingestion import until_ready, working

OLD, NEW = ["old"], [f"page {number}" for number in range(1, 12)]
TINY = (72, 72)
_DEADLINE_S = 30


@pytest.fixture
def failpoint(tmp_path: Path) -> Path:
    """The file from which workers read where to stop."""
    file = tmp_path / "failpoint"
    file.touch()
    return file


@pytest.fixture
def renewed(owner: Someone) -> Iterator[Someone]:
    """An owner with a searchable document and a pending upload; at the end, the quota must match the rows."""
    yield owner
    assert_consistent(owner)


def stopped_of(worker: int) -> int:
    """Return the process of a worker that stopped at its failpoint."""
    results: list[int] = []

    def look() -> bool:
        results[:] = [pid for pid in descendants(worker) if is_stopped(pid)]
        return bool(results)

    assert processes.wait_until(look, within_s=_DEADLINE_S)
    return results[0]


def rows_of(who: Someone) -> list[tuple[int, str]]:
    """Return every page and revision with its transaction id, which changes whenever the row is written."""
    with acting_for(who.id):
        pages = Page.objects.filter(owner_id=who.id).extra(select={"x": "xmin::text"})
        revisions = Revision.objects.filter(owner_id=who.id).extra(select={"x": "xmin::text"})
        return sorted((*pages.values_list("pk", "x"), *revisions.values_list("pk", "x")))


def test_killed_worker_loses_nothing(renewed: Someone, web: Web, tmp_path: Path, failpoint: Path) -> None:
    put(renewed, "a.pdf", pdf(*OLD, size=TINY))
    with working(web, tmp_path, PALIAPI_FAILPOINT=str(failpoint)) as worker:
        until_ready(renewed, web, "a.pdf")
        failpoint.write_text("pages_written:2=stop")
        put(renewed, "a.pdf", pdf(*NEW, size=TINY))
        stopped_of(worker.pid)
        assert shown_texts(renewed, "a.pdf") == OLD
        for pid in (worker.pid, *descendants(worker.pid)):
            os.kill(pid, signal.SIGKILL)
    failpoint.write_text("")
    with working(web, tmp_path, PALIAPI_FAILPOINT=str(failpoint)):
        until_ready(renewed, web, "a.pdf")
    assert shown_texts(renewed, "a.pdf") == NEW


def test_stalled_worker_writes_nothing_after_a_takeover(
    renewed: Someone, web: Web, tmp_path: Path, failpoint: Path
) -> None:
    with working(web, tmp_path, PALIAPI_FAILPOINT=str(failpoint), LOG_LEVEL="INFO") as worker:
        failpoint.write_text("pages_embedded:2=stop")
        put(renewed, "a.pdf", pdf(*NEW, size=TINY))
        stalled = stopped_of(worker.pid)
        failpoint.write_text("")
        held = latest_revision(renewed, "a.pdf").lease_token
        end_waits()
        until_ready(renewed, web, "a.pdf")
        before = rows_of(renewed)
        os.kill(stalled, signal.SIGCONT)
        log = tmp_path / "log"
        assert processes.wait_until(lambda: "lease_lost" in log.read_text(), within_s=_DEADLINE_S)
    assert held
    assert rows_of(renewed) == before
    assert shown_texts(renewed, "a.pdf") == NEW
