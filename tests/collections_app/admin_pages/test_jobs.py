"""The admin page of jobs."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.ownership import acting_for
from collections_app.models import Page, Revision
from tests.admin_client import admin_client, staff_without_rights
from tests.cast import Someone
from tests.collections_app.documents import put, shown_with_pages
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import latest_revision

JOBS = "/admin/collections_app/job/"


@pytest.fixture
def staff(db: None) -> Client:
    return admin_client()


def job_of(who: Someone, name: str, **state: Any) -> Revision:
    """Upload a document and set the state of its job."""
    put(who, name, pdf("one"))
    row = latest_revision(who, name)
    with acting_for(who.id):
        Revision.objects.filter(pk=row.pk).update(**state)
    return row


def act(client: Client, action: str, *rows: Revision) -> list[str]:
    """Run an admin action and return its messages."""
    form = {"action": action, "_selected_action": [row.pk for row in rows]}
    response: Any = client.post(JOBS, form, follow=True)
    assert response.status_code == 200
    return sorted(str(message) for message in response.context["messages"])


def test_jobs_are_listed_with_progress_error_and_cause_of_waiting(staff: Client, alice: Someone) -> None:
    job_of(alice, "running.pdf", status="embedding", pages_done=8, pages_total=12)
    job_of(alice, "waiting.pdf", waiting_for="embeddings_unavailable")
    job_of(alice, "broken.pdf", status="failed", error={"code": "file_damaged", "detail": "Broken.", "page": 3})
    shown_with_pages(alice, "ready.pdf", pages=1)
    html = staff.get(JOBS).content.decode()
    assert '<progress max="12" value="8">8 of 12</progress>' in html
    assert "waiting for: embeddings_unavailable" in html
    assert "file_damaged, page 3: Broken." in html
    assert "ready.pdf" not in html
    assert "waiting.pdf" not in staff.get(f"{JOBS}?status__exact=failed").content.decode()


def test_longer_list_needs_no_more_queries(staff: Client, alice: Someone, charlie: Someone) -> None:
    job_of(alice, "one.pdf")
    with CaptureQueriesContext(connection) as short:
        staff.get(JOBS)
    job_of(alice, "two.pdf")
    job_of(charlie, "three.pdf")
    with CaptureQueriesContext(connection) as longer:
        staff.get(JOBS)
    assert len(longer) == len(short)


def test_staff_can_retry_jobs_and_see_refusals(staff: Client, alice: Someone, charlie: Someone) -> None:
    failed = job_of(alice, "failed.pdf", status="failed", error={"code": "file_damaged", "detail": "Broken."})
    theirs = job_of(charlie, "theirs.pdf", status="cancelled")
    running = job_of(alice, "running.pdf", status="rendering")
    assert set(act(staff, "retry_selected", failed, theirs, running)) == {
        f"Job {failed.pk} of failed.pdf: queued again.",
        f"Job {running.pk} of running.pdf: The latest upload of this document has neither failed nor been cancelled.",
        f"Job {theirs.pk} of theirs.pdf: queued again.",
    }
    assert [latest_revision(who, row).status for who, row in ((alice, "failed.pdf"), (charlie, "theirs.pdf"))] == [
        "queued"
    ] * 2
    assert latest_revision(alice, "failed.pdf").error is None


def test_staff_can_cancel_jobs_which_deletes_their_pages(staff: Client, alice: Someone) -> None:
    running = job_of(alice, "running.pdf", status="embedding")
    assert act(staff, "cancel_selected", running) == [f"Job {running.pk} of running.pdf: cancelled."]
    assert latest_revision(alice, "running.pdf").status == "cancelled"
    with acting_for(alice.id):
        assert not Page.objects.filter(owner_id=alice.id).exists()
    assert staff.get(f"{JOBS}{running.pk}/change/").status_code == 200


def test_staff_without_permission_cannot_retry_or_cancel(db: None, alice: Someone) -> None:
    client = admin_client(staff_without_rights())
    assert client.get(JOBS).status_code == 403
    assert "Retry selected" not in client.get("/admin/").content.decode()
