"""Run the worker in tests, and inspect what it stored."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_as_staff, acting_for
from collections_app import failpoints
from collections_app.ingest import worker
from collections_app.models import Document, Outage, Page, PageEmbedding, Revision, StoredFile
from collections_app.storage import files
from embeddings.contract import NPZ, MultiVector, VectorSpace, pack
from tests.cast import Someone
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.embeddings.scripted import ReceivedRequest, Reply


def process_all(*, max_slices: int = 50) -> None:
    """Run a worker until nothing is due."""
    for _ in range(max_slices):
        if not worker.run():
            return
    raise AssertionError("The worker never ran out of work.")


def set_failpoint(settings: Settings, point: str) -> None:
    """Make the worker fail at this point, or with an empty name nowhere."""
    failpoints.reset()
    settings.ENV = replace(settings.ENV, failpoint=point and f"{point}=raise")


def use_embeddings(settings: Settings, url: str) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=url)


def put_with(who: Someone, content: bytes, *, on_page_error: str = "skip") -> None:
    """Upload `a.pdf` with this treatment of pages that cannot be used."""
    form = {"file": SimpleUploadedFile("file", content), "name": "a.pdf", "on_page_error": on_page_error}
    assert who.upload("/v1/documents/upsert-document/", form).status_code == 202


def end_waits() -> None:
    """Let time pass: leases expire, and revisions that wait become due."""
    past = timezone.now() - timedelta(days=1)
    with acting_as_staff():
        Revision.objects.filter(lease_until__isnull=False).update(lease_until=past)
        Revision.objects.in_flight().update(next_try_at=past)
        Outage.objects.update(next_try_at=past)


def latest_revision(who: Someone, name: str) -> Revision:
    with acting_for(who.id):
        document = Document.objects.select_related("latest").get(owner_id=who.id, name=name)
        assert document.latest
        return document.latest


def shown_texts(who: Someone, name: str) -> list[str]:
    """Return the text of each page that can be searched, in order."""
    with acting_for(who.id):
        document = Document.objects.get(owner_id=who.id, name=name)
        pages = Page.objects.filter(owner_id=who.id, revision=document.shown)
        return list(pages.order_by("number").values_list("text", flat=True))


def assert_consistent(who: Someone) -> None:
    """Assert that quota, pages, vectors and files agree, and that nothing is stored twice or by half."""
    assert_usage_matches_rows(who)
    with acting_for(who.id):
        pages = Page.objects.filter(owner_id=who.id)
        assert pages.count() == PageEmbedding.objects.filter(owner_id=who.id).count()
        for revision in Revision.objects.filter(owner_id=who.id):
            numbers = pages.filter(revision=revision).order_by("number").values_list("number", flat=True)
            skipped = {page["page"] for page in revision.skipped if revision.pages_done}
            assert list(numbers) == [number for number in range(1, revision.pages_done + 1) if number not in skipped]
            spaces = PageEmbedding.objects.filter(owner_id=who.id, page__revision=revision)
            assert {space for (space,) in spaces.values_list("space_id")} <= {revision.space_id}
        for file in StoredFile.objects.filter(owner_id=who.id):
            assert storages["default"].size(file.key) == file.size
            if file.thumbnail_size:
                assert storages["default"].size(files.thumbnail_key(file.key)) == file.thumbnail_size


def embeddings_reply(space: VectorSpace, request: ReceivedRequest, *, rows: int = 3) -> Reply:
    """Return the reply of a service with a model of this space: the same unit vectors for every input."""
    count = len(request.json()["inputs"])
    vectors = np.eye(rows, space.dim, dtype=np.float16)
    body = pack([MultiVector(vectors)] * count, input_type="image", space=space, with_layout=False)
    return Reply(200, body, {"content-type": NPZ})


def get_document(who: Someone, name: str, query: str = "") -> dict[str, Any]:
    return dict(who.get(f"/v1/documents/{name}/{query}").json())
