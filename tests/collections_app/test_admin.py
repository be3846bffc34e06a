"""What staff see of collections and documents, and what they may do to them."""

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomUser, Usage
from accounts.ownership import acting_as_staff, acting_for
from collections_app.models import Collection, Document, Page, Revision, Status, StoredFile
from collections_app.storage import files
from tests.cast import Someone
from tests.collections_app.documents import PDF, PNG, body_of, shown_with_pages

PASSWORD = "a-password-of-the-tests"
LISTS = ("collection", "document", "revision", "page", "storedfile", "idempotentanswer")


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(CustomUser.objects.create_superuser("root@example.com", password=PASSWORD))
    return client


def upload(who: Someone, name: str = "report.pdf", *, collection: str = "reports") -> Document:
    """A document that waits for a worker, from a request that may be repeated."""
    form = {"name": name, "collection_name": collection, "file": ContentFile(PDF, name="x.pdf")}
    accepted = who.upload("/v1/documents/upsert-document/", form, Idempotency_Key=uuid4().hex)
    assert accepted.status_code == 202, accepted.content
    with acting_for(who.id):
        return Document.objects.select_related("latest").get(pk=accepted.json()["id"])


def fail(who: Someone, document: Document, error: dict[str, Any]) -> None:
    with acting_for(who.id):
        Revision.objects.filter(document=document).update(status=Status.FAILED, error=error)


def seen(client: Client, path: str) -> str:
    answer = client.get(f"/admin/collections_app/{path}")
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return answer.content.decode()


def confirm_deletion(client: Client, model: str, *rows: Any) -> Any:
    form = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    return client.post(f"/admin/collections_app/{model}/", form, follow=True)


def test_staff_log_in_with_their_password_and_see_everything_there_is(alice: Someone) -> None:
    CustomUser.objects.create_superuser("root@example.com", password=PASSWORD)
    client = Client()
    client.post("/admin/login/", {"username": "root@example.com", "password": PASSWORD})
    index = client.get("/admin/").content.decode()
    for model in LISTS:
        assert f"/admin/collections_app/{model}/" in index


@pytest.mark.parametrize("model", LISTS)
def test_every_list_and_every_page_opens(staff: Client, alice: Someone, model: str) -> None:
    upload(alice)
    shown_with_pages(alice, "shown.pdf", pages=2)
    assert "alice@example.com" in seen(staff, f"{model}/")
    assert "alice@example.com" in seen(staff, f"{model}/?q=alice")
    with acting_as_staff():
        row = apps.get_model("collections_app", model)._default_manager.latest("pk")
    assert "alice@example.com" in seen(staff, f"{model}/{row.pk}/change/")


@pytest.mark.parametrize("model", LISTS)
def test_nothing_is_added_or_edited_by_hand(staff: Client, alice: Someone, model: str) -> None:
    upload(alice)
    assert staff.get(f"/admin/collections_app/{model}/add/").status_code == 403


def test_what_is_posted_to_a_page_changes_nothing(staff: Client, alice: Someone) -> None:
    document = upload(alice)
    answer = staff.post(f"/admin/collections_app/document/{document.pk}/change/", {"name": "mine now"})
    assert answer.status_code == 403
    assert alice.get("/v1/documents/report.pdf/?collection_name=reports").json()["name"] == "report.pdf"


@pytest.mark.parametrize("model", LISTS)
def test_a_longer_list_asks_the_database_no_more(staff: Client, alice: Someone, charlie: Someone, model: str) -> None:
    upload(alice, "one.pdf")
    shown_with_pages(alice, "shown.pdf", pages=1)
    with CaptureQueriesContext(connection) as few:
        seen(staff, f"{model}/")
    upload(alice, "two.pdf", collection="two")
    shown_with_pages(charlie, "theirs.pdf", pages=3)
    with CaptureQueriesContext(connection) as more:
        seen(staff, f"{model}/")
    assert len(more) == len(few)


def test_a_failure_is_told_with_its_code_and_page(staff: Client, alice: Someone) -> None:
    fail(alice, upload(alice), {"code": "file_damaged", "detail": "<b>Broken</b> stream.", "page": 3})
    for path in ("document/", "revision/", "document/?latest__status__exact=failed"):
        html = seen(staff, path)
        assert "state-failed" in html
        assert "file_damaged, page 3: &lt;b&gt;Broken&lt;/b&gt; stream." in html
    assert "report.pdf" not in seen(staff, "document/?latest__status__exact=ready")


def test_what_a_document_waits_for_is_told(staff: Client, alice: Someone) -> None:
    document = upload(alice)
    with acting_for(alice.id):
        Revision.objects.filter(document=document).update(waiting_for="embeddings_unavailable")
    for path in ("document/", "revision/"):
        assert "waits: embeddings_unavailable" in seen(staff, path)


def test_a_name_that_is_html_is_only_a_name(staff: Client, alice: Someone) -> None:
    document = upload(alice, "<script>alert(1)</script>", collection="<img src=x>")
    for path in ("document/", "collection/", f"document/{document.pk}/change/", "revision/"):
        html = seen(staff, path)
        assert "<script>alert" not in html
        assert "<img src=x>" not in html


def test_the_list_of_collections_counts_its_documents(staff: Client, alice: Someone) -> None:
    upload(alice, "one.pdf")
    upload(alice, "two.pdf")
    with acting_as_staff():
        collection = Collection.objects.get()
    assert f'<a href="/admin/collections_app/document/?collection__id__exact={collection.pk}">2</a>' in seen(
        staff, "collection/?o=3"
    )
    assert "one.pdf" in seen(staff, f"document/?collection__id__exact={collection.pk}")


def test_pages_are_seen_as_images(staff: Client, alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    with acting_as_staff():
        page = Page.objects.get()
    address = f"/admin/collections_app/page/{page.pk}/image"
    for path in ("page/", f"page/{page.pk}/change/", f"document/{document.pk}/change/"):
        assert f'src="{address}' in seen(staff, path)
    answer = staff.get(address)
    assert answer["Content-Type"] == "image/png"
    assert body_of(answer) == PNG


def test_a_file_is_downloaded_and_never_shown(staff: Client, alice: Someone) -> None:
    upload(alice)
    with acting_as_staff():
        file = StoredFile.objects.get()
    answer = staff.get(f"/admin/collections_app/storedfile/{file.pk}/content")
    assert answer["Content-Disposition"].startswith("attachment")
    assert body_of(answer) == PDF


@pytest.mark.parametrize("path", ["page/999/image", "storedfile/999/content"])
def test_what_is_not_there_is_a_404(staff: Client, path: str) -> None:
    answer = staff.get(f"/admin/collections_app/{path}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_bytes_that_are_gone_from_storage_are_a_404(staff: Client, alice: Someone) -> None:
    upload(alice)
    with acting_as_staff():
        file = StoredFile.objects.get()
    files.storage().delete(file.key)
    assert staff.get(f"/admin/collections_app/storedfile/{file.pk}/content").status_code == 404


@pytest.mark.parametrize("path", ["page/1/image", "storedfile/1/content", "document/"])
def test_who_has_not_logged_in_is_sent_to_the_login(db: None, path: str) -> None:
    answer = Client().get(f"/admin/collections_app/{path}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_staff_without_the_permission_see_no_images(alice: Someone) -> None:
    shown_with_pages(alice, "report.pdf", pages=1)
    with acting_as_staff():
        page = Page.objects.get()
    helper = CustomUser.objects.create_user("helper@example.com", password=PASSWORD, is_staff=True)
    client = Client()
    client.force_login(helper)
    assert client.get(f"/admin/collections_app/page/{page.pk}/image").status_code == 404
    assert client.get("/admin/collections_app/document/").status_code == 403


def test_deleting_documents_gives_their_quota_back(staff: Client, alice: Someone, charlie: Someone) -> None:
    gone, kept = shown_with_pages(alice, "gone.pdf", pages=3), upload(alice, "kept.pdf")
    theirs = upload(charlie)
    answer = confirm_deletion(staff, "document", gone, theirs)
    assert "Successfully deleted 2" in answer.content.decode()
    with acting_as_staff():
        assert list(Document.objects.all()) == [kept]
        assert not Page.objects.exists()
        usage = Usage.objects.get(owner=alice.id)
        assert (usage.documents, usage.pages) == (1, 0)
        assert usage.bytes == len(PDF)
        assert Usage.objects.get(owner=charlie.id).documents == 0


def test_deleting_a_collection_tells_how_much_goes_along(staff: Client, alice: Someone) -> None:
    upload(alice, "one.pdf")
    upload(alice, "two.pdf")
    with acting_as_staff():
        collection = Collection.objects.get()
    page = seen(staff, f"collection/{collection.pk}/delete/")
    assert "documents: 2" in page.lower()
    staff.post(f"/admin/collections_app/collection/{collection.pk}/delete/", {"post": "yes"})
    with acting_as_staff():
        assert not Document.objects.exists()
        assert Usage.objects.get(owner=alice.id).documents == 0


def test_deleting_collections_from_the_list_uses_the_same_verb(staff: Client, alice: Someone) -> None:
    upload(alice)
    with acting_as_staff():
        collection = Collection.objects.get()
    confirm_deletion(staff, "collection", collection)
    with acting_as_staff():
        assert not Collection.objects.exists()
        assert Usage.objects.get(owner=alice.id).documents == 0


def test_when_a_user_is_deleted_all_their_data_goes(alice: Someone, charlie: Someone) -> None:
    shown_with_pages(alice, "report.pdf", pages=2)
    upload(charlie)
    with acting_as_staff():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        alice.user.delete()
    with acting_as_staff():
        for model in (Collection, Document, Revision, StoredFile):
            assert {row.owner_id for row in model.objects.all()} == {charlie.user.pk}
        assert not Page.objects.exists()
