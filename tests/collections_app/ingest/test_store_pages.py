"""Stored pages: vectors of equal pages are reused, and text that is recognized in images becomes their text."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.ingest import leases, store_pages
from collections_app.ingest.store_pages import Checkpoint
from collections_app.models import Page, PageEmbedding, Revision
from collections_app.storage import vectors
from embeddings.contract import NPZ, Layout, MultiVector, VectorSpace, pack
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf, picture
from tests.collections_app.ingestion import (
    get_document,
    latest_revision,
    process_all,
    shown_texts,
    use_embeddings,
)
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

SPACE = VectorSpace("paliapi/reader", "1", 8)
WORDS: list[list[str | float]] = [["Order", 0.1, 0.1, 0.2, 0.12], ["ZX-\0 9981/B", 0.3, 0.1, 0.5, 0.12]]


def scan() -> bytes:
    return picture("PNG", Image.new("RGB", (30, 20), "red"))


def reader(words: Any) -> Callable[[ReceivedRequest], Reply]:
    """Return a service that recognizes these words on every page that is sent without words."""

    def reply(request: ReceivedRequest) -> Reply:
        body = request.json()
        embedded = [MultiVector(np.eye(2, 8, dtype=np.float16))] * len(body["inputs"])
        if body["input_type"] == "image":
            boxes: list[list[float] | None] = [[0.1, 0.1, 0.2, 0.12], [0.3, 0.1, 0.5, 0.12]]
            without_words: Layout = {"kind": "boxes", "boxes": boxes}
            with_words: Layout = {"kind": "boxes", "boxes": boxes, "words": words}
            embedded = [
                MultiVector(page.vectors, without_words if isinstance(sent, dict) else with_words)
                for page, sent in zip(embedded, body["inputs"], strict=True)
            ]
        content = pack(embedded, input_type=body["input_type"], space=SPACE, with_layout=True)
        return Reply(200, content, {"content-type": NPZ})

    return reply


def test_equal_pages_of_one_owner_share_vectors_and_image(owner: Someone, charlie: Someone) -> None:
    for who in (charlie, owner):
        put(who, "one.pdf", pdf("same", "one"))
        process_all()
        assert latest_revision(who, "one.pdf").reused_pages == 0, "pages of another owner are not reused"
    put(owner, "two.pdf", pdf("new", "same", "one"))
    process_all()
    assert latest_revision(owner, "two.pdf").reused_pages == 2
    assert get_document(owner, "two.pdf")["num_pages"] == 3
    with acting_for(owner.id) as tx:
        same = Page.objects.filter(owner_id=owner.id, text="same")
        first, second = vectors.read(tx, list(same.values_list("pk", flat=True))).values()
        assert np.array_equal(first, second)
        assert same.values("image").distinct().count() == 1


def test_equal_page_is_reused_unless_its_form_is_less_precise(owner: Someone) -> None:
    for storage in ("full", "compact"):
        owner.post("/v1/collections/", {"name": storage, "vector_storage": storage})
    for name, collection, reused in [("a", "compact", 0), ("b", "full", 0), ("c", "compact", 1), ("d", "full", 1)]:
        put(owner, name, pdf("same"), collection=collection)
        process_all()
        assert latest_revision(owner, name).reused_pages == reused
        body = {"query": "same", "collection_name": collection, "images": "none", "include": ["regions", "receipt"]}
        answer = owner.post("/v1/search/", body).json()
        assert answer["receipt"]["vector_storage"] == collection
        assert {hit["regions"]["boxes"][0]["text"] for hit in answer["results"]} == {"same"}
    page = {"document_name": "a", "collection_name": "compact", "page_number": 1}
    scores = [
        hit["normalized_score"] for hit in owner.post("/v1/search/", {"page": page, "images": "none"}).json()["results"]
    ]
    assert scores == [pytest.approx(1, abs=0.1)] * 3


def test_pages_with_equal_images_and_different_texts_are_not_equal(owner: Someone) -> None:
    for text in (b"alpha", b"beta"):
        put(owner, "hidden.pdf", pdf("x", content=b"BT 3 Tr /F 24 Tf 72 700 Td (%s) Tj ET" % text))
        process_all()
    assert shown_texts(owner, "hidden.pdf") == ["beta"]
    assert latest_revision(owner, "hidden.pdf").reused_pages == 0


def test_restart_deletes_pages_and_returns_their_quota(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    process_all()
    put(owner, "a.pdf", pdf("one", "two"))
    lease = leases.claim()
    assert lease
    checkpoint = Checkpoint(pages_done=1, pages_total=2, space_id=None, skipped=[{"page": 1}], timings={})
    store_pages.store(lease, [], checkpoint)
    row = latest_revision(owner, "a.pdf")
    assert (row.pages_done, row.pages_total, row.attempts) == (1, 2, 0)
    store_pages.restart(lease)
    row = latest_revision(owner, "a.pdf")
    assert (row.pages_done, row.skipped, row.space_id) == (0, [], None)
    with acting_for(owner.id):
        assert Revision.objects.held().count() == 1, "the lease still holds"


def test_recognized_text_is_the_text_of_the_page_and_searchable(alice: Someone, settings: Settings) -> None:
    with scripted(reader(WORDS)) as server:
        use_embeddings(settings, server.url)
        put(alice, "scan", scan())
        put(alice, "layered", pdf("text of its own"))
        process_all()
        assert shown_texts(alice, "scan") == ["Order ZX- 9981/B"]
        assert shown_texts(alice, "layered") == ["text of its own"]
        body = {"query": "ZX 9981 B", "images": "none", "include": ["regions", "text"]}
        hit = alice.post("/v1/search/", body).json()["results"][0]
    assert (hit["document_name"], hit["text"]) == ("scan", "Order ZX- 9981/B")
    assert {region["text"] for region in hit["regions"]["boxes"]} <= {"Order", "ZX- 9981/B", "Order ZX- 9981/B"}
    with acting_for(alice.id):
        layouts: list[Any] = list(PageEmbedding.objects.filter(owner_id=alice.id).values_list("layout", flat=True))
        assert all("words" not in layout for layout in layouts)
        recognized = dict(Page.objects.filter(owner_id=alice.id).values_list("text", "text_was_read"))
    assert recognized == {"Order ZX- 9981/B": True, "text of its own": False}


@pytest.mark.parametrize(
    ("words", "source", "scripts"),
    [(WORDS, "ocr", ["Latin"]), ([["Договор", 0.1, 0.1, 0.2, 0.2]], "ocr", ["Cyrillic"]), ([], "none", [])],
)
def test_page_reports_where_its_text_is_from(
    alice: Someone, settings: Settings, words: Any, source: str, scripts: list[str]
) -> None:
    with scripted(reader(words)) as server:
        use_embeddings(settings, server.url)
        put(alice, "scan", scan())
        put(alice, "layered", pdf("text of its own"))
        assert get_document(alice, "scan")["pages_without_text"] is None
        process_all()
    (page,) = get_document(alice, "scan", "?expand=pages")["pages"]
    assert (page["text_source"], page["scripts"]) == (source, scripts)
    assert get_document(alice, "scan")["pages_without_text"] == int(source == "none")
    (page,) = get_document(alice, "layered", "?expand=pages")["pages"]
    assert (page["text_source"], page["scripts"]) == ("file", ["Latin"])
    assert get_document(alice, "layered")["pages_without_text"] == 0


def test_equal_page_takes_over_recognized_text(alice: Someone, settings: Settings) -> None:
    with scripted(reader(WORDS)) as server:
        use_embeddings(settings, server.url)
        for name in ("first", "second", "third"):
            put(alice, name, scan())
            process_all()
    for name in ("second", "third"):
        assert latest_revision(alice, name).reused_pages == 1
        assert shown_texts(alice, name) == ["Order ZX- 9981/B"]


@pytest.mark.parametrize(
    "words",
    [
        None,
        "words",
        [None],
        [["x"]],
        [["x", 0, 0, 1, 2]],
        [["", 0, 0, 1, 1]],
        [["x" * 1001, 0, 0, 1, 1]],
        [[5, 0, 0, 1, 1]],
    ],
    ids=range(8),
)
def test_malformed_recognized_words_are_ignored(alice: Someone, settings: Settings, words: Any) -> None:
    with scripted(reader(words)) as server:
        use_embeddings(settings, server.url)
        put(alice, "scan", scan())
        process_all()
    assert shown_texts(alice, "scan") == [""]
