"""What tests of ingestion do and look at."""

from datetime import timedelta
from typing import Any

import numpy as np
from django.core.files.storage import storages
from django.utils import timezone

from accounts.ownership import acting_as_staff, acting_for
from accounts.quotas import usage
from collections_app.ingest import worker
from collections_app.models import Document, Outage, Page, PageEmbedding, Revision, StoredFile
from collections_app.storage import files
from embeddings.contract import NPZ, MultiVector, VectorSpace, pack
from tests.cast import Someone
from tests.embeddings.scripted import ReceivedRequest, Reply


def work(*, turns: int = 50) -> None:
    """As a worker does, until nothing is due."""
    for _ in range(turns):
        if not worker.run():
            return
    raise AssertionError("There is always more to do.")


def hurry() -> None:
    """Let time pass: leases run out, and whoever waits may try again."""
    past = timezone.now() - timedelta(days=1)
    with acting_as_staff():
        Revision.objects.filter(lease_until__isnull=False).update(lease_until=past)
        Revision.objects.in_flight().update(next_try_at=past)
        Outage.objects.update(next_try_at=past)


def latest(who: Someone, name: str) -> Revision:
    with acting_for(who.id):
        document = Document.objects.select_related("latest").get(owner_id=who.id, name=name)
        assert document.latest
        return document.latest


def shown_texts(who: Someone, name: str) -> list[str]:
    """The text of each page that can be searched, in order."""
    with acting_for(who.id):
        document = Document.objects.get(owner_id=who.id, name=name)
        pages = Page.objects.filter(owner_id=who.id, revision=document.shown)
        return list(pages.order_by("number").values_list("text", flat=True))


def books_balance(who: Someone) -> None:
    """Quota, pages, vectors and files say the same, and nothing is there twice or by half."""
    with acting_for(who.id) as tx:
        kept = usage(tx)
        pages = Page.objects.filter(owner_id=who.id)
        assert kept.pages == pages.count() == PageEmbedding.objects.filter(owner_id=who.id).count()
        assert kept.documents == Document.objects.filter(owner_id=who.id).count()
        revisions = list(Revision.objects.filter(owner_id=who.id))
        assert kept.bytes == sum(revision.size for revision in revisions)
        for revision in revisions:
            numbers = pages.filter(revision=revision).order_by("number").values_list("number", flat=True)
            skipped = {one["page"] for one in revision.skipped if revision.pages_done}
            assert list(numbers) == [one for one in range(1, revision.pages_done + 1) if one not in skipped]
            spaces = PageEmbedding.objects.filter(owner_id=who.id, page__revision=revision)
            assert {space for (space,) in spaces.values_list("space_id")} <= {revision.space_id}
        for file in StoredFile.objects.filter(owner_id=who.id):
            assert storages["default"].size(file.key) == file.size
            if file.thumbnail_size:
                assert storages["default"].size(files.thumbnail_key(file.key)) == file.thumbnail_size


def answer_in(space: VectorSpace, asked: ReceivedRequest, *, rows: int = 3) -> Reply:
    """What a service with this model answers: the same unit vectors for every input."""
    count = len(asked.json()["inputs"])
    vectors = np.eye(rows, space.dim, dtype=np.float16)
    body = pack([MultiVector(vectors)] * count, input_type="image", space=space, with_layout=False)
    return Reply(200, body, {"content-type": NPZ})


def told(who: Someone, name: str) -> dict[str, Any]:
    return dict(who.get(f"/v1/documents/{name}/").json())
