"""The rate at which pages are processed, and the time that the rest will take."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.ownership import acting_as_staff, acting_for
from collections_app.ingest import outlook
from collections_app.ingest.outlook import JobOutlook, Outlook
from collections_app.models import Revision, Status
from tests.cast import Someone
from tests.collections_app.documents import PDF, put
from tests.collections_app.ingestion import latest_revision, process_all


def change(who: Someone, name: str, *, claimed_s: float = 0, updated_s: float = 0, **changes: Any) -> Revision:
    """Change a row, which was claimed and updated so many seconds ago."""
    row = latest_revision(who, name)
    times = {"claimed_at": Now() - timedelta(seconds=claimed_s), "updated_at": Now() - timedelta(seconds=updated_s)}
    with acting_as_staff():
        Revision.objects.filter(pk=row.pk).update(**times, **changes)
    return latest_revision(who, name)


def done(who: Someone, name: str, *, pages: int, claimed_s: float, updated_s: float) -> None:
    put(who, name, PDF)
    change(
        who,
        name,
        claimed_s=claimed_s,
        updated_s=updated_s,
        status=Status.READY,
        pages_total=pages,
        pages_done=pages,
    )


def total(who: Someone) -> Outlook:
    with acting_for(who.id) as tx:
        return outlook.of_owner(tx)


def of_jobs(who: Someone, *names: str) -> list[JobOutlook]:
    rows = [latest_revision(who, name) for name in names]
    with acting_for(who.id) as tx:
        known = outlook.of_jobs(tx, rows)
    return [known[row.pk] for row in rows]


def test_nothing_is_promised_before_anything_was_processed(alice: Someone) -> None:
    assert total(alice) == Outlook(documents=0, pages=0, pages_per_s=None)
    put(alice, "a.pdf", PDF)
    put(alice, "b.pdf", PDF)
    assert total(alice) == Outlook(documents=2, pages=2, pages_per_s=None)
    assert total(alice).seconds is None
    assert of_jobs(alice, "a.pdf") == [JobOutlook()]


def test_files_that_are_not_opened_yet_count_as_much_as_those_processed_lately(alice: Someone) -> None:
    done(alice, "done.pdf", pages=10, claimed_s=40, updated_s=20)
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, PDF)
    change(alice, "b.pdf", pages_total=50, pages_done=20)
    left = total(alice)
    assert (left.documents, left.pages) == (2, 10 + 30)
    assert left.pages_per_s == pytest.approx(0.5)
    assert left.seconds == pytest.approx(80)


def test_only_pages_of_the_last_minute_count(alice: Someone) -> None:
    done(alice, "old.pdf", pages=1000, claimed_s=200, updated_s=100)
    assert total(alice).pages_per_s is None
    done(alice, "half.pdf", pages=90, claimed_s=180, updated_s=0)
    assert total(alice).pages_per_s == pytest.approx(30 / 60)


def test_job_in_the_queue_is_done_after_those_before_it(alice: Someone) -> None:
    done(alice, "done.pdf", pages=2, claimed_s=40, updated_s=20)
    for name in ("a.pdf", "b.pdf", "c.pdf", "held.pdf"):
        put(alice, name, PDF)
    change(alice, "a.pdf", pages_total=6)
    change(alice, "held.pdf", pages_total=3, lease_until=Now() + timedelta(minutes=1))
    first, second = of_jobs(alice, "a.pdf", "b.pdf")
    assert (first.pages_per_s, second.pages_per_s) == (None, None)
    assert first.seconds == pytest.approx(60 + 30)
    assert second.seconds == pytest.approx(80 + 30)
    with acting_for(alice.id) as tx:
        left, known = outlook.of_owner_and_jobs(tx, [latest_revision(alice, "b.pdf")])
    assert (left.documents, left.pages) == (4, 6 + 2 + 2 + 3)
    assert list(known.values()) == [second]


def test_job_that_is_being_processed_has_its_own_rate(alice: Someone) -> None:
    put(alice, "a.pdf", PDF)
    progress = {"pages_total": 50, "pages_done": 30, "pages_at_claim": 10}
    change(alice, "a.pdf", claimed_s=10, status=Status.EMBEDDING, **progress)
    (job,) = of_jobs(alice, "a.pdf")
    assert job.pages_per_s == pytest.approx(2)
    assert job.seconds == pytest.approx(10)


def test_job_that_waits_for_something_has_no_outlook(alice: Someone) -> None:
    done(alice, "done.pdf", pages=2, claimed_s=40, updated_s=20)
    put(alice, "a.pdf", PDF)
    change(alice, "a.pdf", waiting_for="embeddings_unavailable")
    assert of_jobs(alice, "a.pdf", "done.pdf") == [JobOutlook(), JobOutlook()]


def test_owners_see_their_own_work_and_workers_everything(alice: Someone, charlie: Someone) -> None:
    done(alice, "done.pdf", pages=20, claimed_s=40, updated_s=20)
    put(charlie, "a.pdf", PDF)
    assert total(charlie) == Outlook(documents=1, pages=1, pages_per_s=None)
    assert total(alice).documents == 0
    everyone = outlook.of_everyone()
    assert (everyone.documents, everyone.pages) == (1, 20)
    assert everyone.pages_per_s == pytest.approx(1)


def test_worker_records_how_many_pages_were_done_when_it_began(alice: Someone, service: str) -> None:
    put(alice, "a.pdf", PDF)
    process_all()
    row = latest_revision(alice, "a.pdf")
    assert (row.pages_at_claim, row.pages_done) == (0, 1)
