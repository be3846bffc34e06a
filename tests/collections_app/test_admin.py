"""The admin pages of collections, documents, pages and files."""

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Usage
from accounts.ownership import acting_as_staff, acting_for
from collections_app.models import Collection, Document, Page, Revision, Status, StoredFile
from collections_app.storage import files
from paliapi.database import as_login
from tests.admin_client import PASSWORD, AdminClient, admin_client, staff_without_rights, superuser
from tests.cast import Someone
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.collections_app.documents import PDF, PNG, body_of, shown_with_pages
from tests.environment import Services

LISTS = ("collection", "document", "revision", "page", "storedfile", "idempotentanswer")


@pytest.fixture
def staff(db: None) -> Client:
    return admin_client()


def upload(who: Someone, name: str = "report.pdf", *, collection: str = "reports") -> Document:
    """Upload a document that no worker processes, with an idempotency key."""
    form = {"name": name, "collection_name": collection, "file": ContentFile(PDF, name="x.pdf")}
    accepted = who.upload("/v1/documents/upsert-document/", form, Idempotency_Key=uuid4().hex)
    assert accepted.status_code == 202, accepted.content
    with acting_for(who.id):
        return Document.objects.select_related("latest").get(pk=accepted.json()["id"])


def fail(who: Someone, document: Document, error: dict[str, Any]) -> None:
    with acting_for(who.id):
        Revision.objects.filter(document=document).update(status=Status.FAILED, error=error)


def html_of(client: Client, path: str) -> str:
    response = client.get(f"/admin/collections_app/{path}")
    assert response.status_code == 200, f"{path}: {response.status_code}"
    return response.content.decode()


def confirm_deletion(client: Client, model: str, *rows: Any) -> Any:
    form = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    return client.post(f"/admin/collections_app/{model}/", form, follow=True)


def test_staff_can_log_in_and_see_all_models(alice: Someone) -> None:
    superuser()
    client = AdminClient()
    client.post("/admin/login/", {"username": "root@example.com", "password": PASSWORD})
    index = client.get("/admin/").content.decode()
    for model in LISTS:
        assert f"/admin/collections_app/{model}/" in index


@pytest.mark.parametrize("model", LISTS)
def test_lists_and_detail_pages_open(staff: Client, alice: Someone, model: str) -> None:
    upload(alice)
    shown_with_pages(alice, "shown.pdf", pages=2)
    assert "alice@example.com" in html_of(staff, f"{model}/")
    assert "alice@example.com" in html_of(staff, f"{model}/?q=alice")
    with acting_as_staff():
        row = apps.get_model("collections_app", model)._default_manager.latest("pk")
    assert "alice@example.com" in html_of(staff, f"{model}/{row.pk}/change/")


@pytest.mark.parametrize("model", LISTS)
def test_rows_cannot_be_added(staff: Client, alice: Someone, model: str) -> None:
    upload(alice)
    assert staff.get(f"/admin/collections_app/{model}/add/").status_code == 403


def test_rows_cannot_be_edited(staff: Client, alice: Someone) -> None:
    document = upload(alice)
    response = staff.post(f"/admin/collections_app/document/{document.pk}/change/", {"name": "renamed"})
    assert response.status_code == 403
    assert alice.get("/v1/documents/report.pdf/?collection_name=reports").json()["name"] == "report.pdf"


@pytest.mark.parametrize("model", LISTS)
def test_longer_list_needs_no_more_queries(staff: Client, alice: Someone, charlie: Someone, model: str) -> None:
    upload(alice, "one.pdf")
    shown_with_pages(alice, "shown.pdf", pages=1)
    with CaptureQueriesContext(connection) as short:
        html_of(staff, f"{model}/")
    upload(alice, "two.pdf", collection="two")
    shown_with_pages(charlie, "theirs.pdf", pages=3)
    with CaptureQueriesContext(connection) as longer:
        html_of(staff, f"{model}/")
    assert len(longer) == len(short)


def test_error_is_shown_with_its_code_and_page(staff: Client, alice: Someone) -> None:
    fail(alice, upload(alice), {"code": "file_damaged", "detail": "<b>Broken</b> stream.", "page": 3})
    for path in ("document/", "revision/", "document/?latest__status__exact=failed"):
        html = html_of(staff, path)
        assert "state-failed" in html
        assert "file_damaged, page 3: &lt;b&gt;Broken&lt;/b&gt; stream." in html
    assert "report.pdf" not in html_of(staff, "document/?latest__status__exact=ready")


def test_cause_of_waiting_is_shown(staff: Client, alice: Someone) -> None:
    document = upload(alice)
    with acting_for(alice.id):
        Revision.objects.filter(document=document).update(waiting_for="embeddings_unavailable")
    for path in ("document/", "revision/"):
        assert "waiting for: embeddings_unavailable" in html_of(staff, path)


def test_names_are_escaped(staff: Client, alice: Someone) -> None:
    document = upload(alice, "<script>alert(1)</script>", collection="<img src=x>")
    for path in ("document/", "collection/", f"document/{document.pk}/change/", "revision/"):
        html = html_of(staff, path)
        assert "<script>alert" not in html
        assert "<img src=x>" not in html


def test_list_of_collections_counts_documents(staff: Client, alice: Someone) -> None:
    upload(alice, "one.pdf")
    upload(alice, "two.pdf")
    with acting_as_staff():
        collection = Collection.objects.get()
    assert f'<a href="/admin/collections_app/document/?collection__id__exact={collection.pk}">2</a>' in html_of(
        staff, "collection/?o=3"
    )
    assert "one.pdf" in html_of(staff, f"document/?collection__id__exact={collection.pk}")


def test_page_images_are_shown(staff: Client, alice: Someone) -> None:
    document = shown_with_pages(alice, "report.pdf", pages=1)
    with acting_as_staff():
        page = Page.objects.get()
    url = f"/admin/collections_app/page/{page.pk}/image"
    for path in ("page/", f"page/{page.pk}/change/", f"document/{document.pk}/change/"):
        assert f'src="{url}' in html_of(staff, path)
    response = staff.get(url)
    assert response["Content-Type"] == "image/png"
    assert body_of(response) == PNG


def test_file_is_served_as_an_attachment(staff: Client, alice: Someone) -> None:
    upload(alice)
    with acting_as_staff():
        file = StoredFile.objects.get()
    response = staff.get(f"/admin/collections_app/storedfile/{file.pk}/content")
    assert response["Content-Disposition"].startswith("attachment")
    assert body_of(response) == PDF


@pytest.mark.parametrize("path", ["page/999/image", "storedfile/999/content"])
def test_unknown_page_or_file_is_not_found(staff: Client, path: str) -> None:
    response = staff.get(f"/admin/collections_app/{path}")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_file_missing_from_storage_is_not_found(staff: Client, alice: Someone) -> None:
    upload(alice)
    with acting_as_staff():
        file = StoredFile.objects.get()
    files.storage().delete(file.key)
    assert staff.get(f"/admin/collections_app/storedfile/{file.pk}/content").status_code == 404


@pytest.mark.parametrize("path", ["page/1/image", "storedfile/1/content", "document/"])
def test_anonymous_user_is_redirected_to_the_login_page(db: None, path: str) -> None:
    response = AdminClient().get(f"/admin/collections_app/{path}")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_staff_without_permission_see_no_images(alice: Someone) -> None:
    shown_with_pages(alice, "report.pdf", pages=1)
    with acting_as_staff():
        page = Page.objects.get()
    client = admin_client(staff_without_rights())
    assert client.get(f"/admin/collections_app/page/{page.pk}/image").status_code == 404
    assert client.get("/admin/collections_app/document/").status_code == 403


def test_deleting_documents_releases_their_quota(staff: Client, alice: Someone, charlie: Someone) -> None:
    deleted, remaining = shown_with_pages(alice, "deleted.pdf", pages=3), upload(alice, "remaining.pdf")
    theirs = upload(charlie)
    response = confirm_deletion(staff, "document", deleted, theirs)
    assert "Successfully deleted 2" in response.content.decode()
    with acting_as_staff():
        assert list(Document.objects.all()) == [remaining]
        assert not Page.objects.exists()
        usage = Usage.objects.get(owner=alice.id)
        assert (usage.documents, usage.pages) == (1, 0)
        assert Usage.objects.get(owner=charlie.id).documents == 0
    assert_usage_matches_rows(alice)
    assert_usage_matches_rows(charlie)


def test_confirmation_page_counts_the_documents_of_a_collection(staff: Client, alice: Someone) -> None:
    upload(alice, "one.pdf")
    upload(alice, "two.pdf")
    with acting_as_staff():
        collection = Collection.objects.get()
    page = html_of(staff, f"collection/{collection.pk}/delete/")
    assert "documents: 2" in page.lower()
    staff.post(f"/admin/collections_app/collection/{collection.pk}/delete/", {"post": "yes"})
    with acting_as_staff():
        assert not Document.objects.exists()
        assert Usage.objects.get(owner=alice.id).documents == 0


def test_deleting_collections_from_the_list_deletes_their_documents(staff: Client, alice: Someone) -> None:
    upload(alice)
    with acting_as_staff():
        collection = Collection.objects.get()
    confirm_deletion(staff, "collection", collection)
    with acting_as_staff():
        assert not Collection.objects.exists()
        assert Usage.objects.get(owner=alice.id).documents == 0


@pytest.mark.django_db(transaction=True)
def test_deleting_a_user_deletes_all_their_data(services: Services, alice: Someone, charlie: Someone) -> None:
    shown_with_pages(alice, "report.pdf", pages=2)
    upload(charlie)
    # Only an administrator of the database can do this: it also deletes from the log of the admin.
    with as_login(services.superuser_url, role=""), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        alice.user.delete()
    with acting_as_staff():
        for model in (Collection, Document, Revision, StoredFile):
            assert {row.owner_id for row in model.objects.all()} == {charlie.user.pk}
        assert not Page.objects.exists()


def test_fields_have_labels_and_help_texts(staff: Client, alice: Someone) -> None:
    upload(alice)
    with acting_as_staff():
        file = StoredFile.objects.get()
    html = html_of(staff, f"storedfile/{file.pk}/change/")
    assert "Last needed at" in html
    assert "An unused file is kept for a while after this time." in html
    assert "somebody" not in html
