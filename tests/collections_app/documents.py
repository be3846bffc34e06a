"""Documents for tests: uploaded through the API, or with the rows that ingestion would have written."""

import hashlib
import json
from io import BytesIO
from typing import Any

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from PIL import Image

from accounts.ownership import acting_for
from accounts.quotas import charge
from collections_app.models import Collection, Document, Page, Revision, Space, Status, StoredFile
from collections_app.storage import files, vectors
from collections_app.storage.files import Content
from collections_app.storage.vectors import PageVectors
from tests.cast import Someone

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


def _png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (20, 10), "white").save(file, "PNG")
    return file.getvalue()


PNG = _png()
THUMBNAIL = b"a thumbnail"
VECTORS = np.eye(3, 4, dtype=np.float16)


def put(
    who: Someone, name: str, content: bytes, *, collection: str = "default_collection", metadata: Any = None
) -> dict[str, Any]:
    """Upload a document through the API."""
    form = {"file": SimpleUploadedFile("file", content), "name": name, "collection_name": collection}
    if metadata is not None:
        form["metadata"] = json.dumps(metadata)
    accepted = who.upload("/v1/documents/upsert-document/", form)
    assert accepted.status_code == 202, accepted.content
    return dict(accepted.json())


def shown_with_pages(
    who: Someone,
    name: str,
    *,
    pages: int,
    collection: str = "default_collection",
    metadata: Any = None,
    image: bytes = PNG,
) -> Document:
    """Create a document that is ready, whose pages all have the same image."""
    put(who, name, PDF, collection=collection, metadata=metadata)
    content = Content(
        file=BytesIO(image),
        sha256=hashlib.sha256(image).hexdigest(),
        size=len(image),
        content_type="image/png",
        thumbnail=THUMBNAIL,
    )
    [draft] = files.put_all(who.id, [content])
    with acting_for(who.id) as tx:
        document = Document.objects.get(owner_id=who.id, collection__name=collection, name=name)
        revision = document.latest
        assert revision
        file = files.settle(tx, draft)
        assert isinstance(file, StoredFile)
        rows = Page.objects.bulk_create(
            Page(owner_id=who.id, revision=revision, number=number, image=file, width=20, height=10)
            for number in range(1, pages + 1)
        )
        space, _ = Space.objects.get_or_create(model="made for tests", revision="1", dim=4)
        page_vectors = [PageVectors(page_id=row.pk, space_id=space.pk, vectors=VECTORS, layout=None) for row in rows]
        vectors.insert(tx, page_vectors)
        Revision.objects.filter(pk=revision.pk).update(
            status=Status.READY, pages_total=pages, pages_done=pages, space=space
        )
        Document.objects.filter(pk=document.pk).update(shown=revision)
        Collection.objects.filter(pk=document.collection_id).update(vectors_seq=F("vectors_seq") + 1)
        charge(tx, pages=pages)
    return document


def body_of(response: Any) -> bytes:
    """Read a streamed response to its end, which closes it."""
    return b"".join(response.streaming_content)
