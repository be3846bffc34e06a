"""Jobs as staff see them, and step in."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomUser
from accounts.ownership import acting_for
from collections_app.models import Page, Revision
from tests.cast import Someone
from tests.collections_app.documents import put, shown_with_pages
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import latest_revision

JOBS = "/admin/collections_app/job/"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(CustomUser.objects.create_superuser("root@example.com", password="a-password-of-the-tests"))
    return client


def job_of(who: Someone, name: str, **state: Any) -> Revision:
    """A job that has come so far."""
    put(who, name, pdf("one"))
    row = latest_revision(who, name)
    with acting_for(who.id):
        Revision.objects.filter(pk=row.pk).update(**state)
    return row


def act(client: Client, action: str, *rows: Revision) -> list[str]:
    """What staff are told after it."""
    form = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer: Any = client.post(JOBS, form, follow=True)
    assert answer.status_code == 200
    return sorted(str(message) for message in answer.context["messages"])


def test_jobs_are_listed_with_progress_error_and_what_they_wait_for(staff: Client, alice: Someone) -> None:
    job_of(alice, "going.pdf", status="embedding", pages_done=8, pages_total=12)
    job_of(alice, "waiting.pdf", waiting_for="embeddings_unavailable")
    job_of(alice, "broken.pdf", status="failed", error={"code": "file_damaged", "detail": "Broken.", "page": 3})
    shown_with_pages(alice, "ready.pdf", pages=1)
    html = staff.get(JOBS).content.decode()
    assert '<progress max="12" value="8">8 of 12</progress>' in html
    assert "waits: embeddings_unavailable" in html
    assert "file_damaged, page 3: Broken." in html
    assert "ready.pdf" not in html
    assert "waiting.pdf" not in staff.get(f"{JOBS}?status__exact=failed").content.decode()


def test_a_longer_list_asks_the_database_no_more(staff: Client, alice: Someone, charlie: Someone) -> None:
    job_of(alice, "one.pdf")
    with CaptureQueriesContext(connection) as few:
        staff.get(JOBS)
    job_of(alice, "two.pdf")
    job_of(charlie, "three.pdf")
    with CaptureQueriesContext(connection) as more:
        staff.get(JOBS)
    assert len(more) == len(few)


def test_staff_try_jobs_again_and_what_cannot_be_is_told(staff: Client, alice: Someone, charlie: Someone) -> None:
    failed = job_of(alice, "failed.pdf", status="failed", error={"code": "file_damaged", "detail": "Broken."})
    theirs = job_of(charlie, "theirs.pdf", status="cancelled")
    going = job_of(alice, "going.pdf", status="rendering")
    assert set(act(staff, "try_again", failed, theirs, going)) == {
        f"Job {failed.pk} of failed.pdf: queued again.",
        f"Job {going.pk} of going.pdf: The latest upload of this document has neither failed nor been cancelled.",
        f"Job {theirs.pk} of theirs.pdf: queued again.",
    }
    assert [latest_revision(who, row).status for who, row in ((alice, "failed.pdf"), (charlie, "theirs.pdf"))] == [
        "queued"
    ] * 2
    assert latest_revision(alice, "failed.pdf").error is None


def test_staff_cancel_jobs_and_their_pages_go(staff: Client, alice: Someone) -> None:
    going = job_of(alice, "going.pdf", status="embedding")
    assert act(staff, "stop", going) == [f"Job {going.pk} of going.pdf: cancelled."]
    assert latest_revision(alice, "going.pdf").status == "cancelled"
    with acting_for(alice.id):
        assert not Page.objects.filter(owner_id=alice.id).exists()
    assert staff.get(f"{JOBS}{going.pk}/change/").status_code == 200


def test_who_may_only_look_cannot_step_in(db: None, alice: Someone) -> None:
    client = Client()
    looker = CustomUser.objects.create_user("looker@example.com", is_staff=True)
    client.force_login(looker)
    assert client.get(JOBS).status_code == 403
    assert "Try the selected" not in client.get("/admin/").content.decode()
