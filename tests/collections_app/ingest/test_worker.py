"""From an accepted upload to searchable pages, with the real Postgres, the real files and the real service."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from PIL import Image
from pytest_django import Settings

from accounts.models import Usage
from accounts.ownership import acting_for
from collections_app.engine.retrieval.sketch import small
from collections_app.ingest import worker
from collections_app.models import Collection, Document, Page, PageEmbedding, Revision, StoredFile
from collections_app.storage import files, vectors
from embeddings.client import Client
from embeddings.contract import Word
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.outbound.web_servers import listening, ok, status
from tests.collections_app.engine.rendering.samples import pdf, picture
from tests.collections_app.ingestion import (
    assert_consistent,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    shown_texts,
)
from tests.embeddings.serving import KEY

TINY = (72, 72)
UPSERT = "/v1/documents/upsert-document/"


@pytest.fixture
def owner(alice: Someone, service: str) -> Iterator[Someone]:
    """Alice; whatever happens, her books balance."""
    yield alice
    assert_consistent(alice)


def test_a_pdf_becomes_pages_with_its_text_its_images_and_its_vectors(owner: Someone, service: str) -> None:
    put(owner, "report.pdf", pdf("Alpha beta", "Gamma", "Delta"), metadata={"year": 2026})
    worker.run()
    found = get_document(owner, "report.pdf")
    assert (found["status"], found["num_pages"], found["pages_done"]) == ("ready", 3, 3)
    assert found["metadata"] == {"year": 2026}
    assert shown_texts(owner, "report.pdf") == ["Alpha beta", "Gamma", "Delta"]
    with acting_for(owner.id):
        first = Page.objects.select_related("image").get(owner_id=owner.id, number=1)
        with files.open_file(first.image) as image:
            content = image.read()
        kept = vectors.read(owner.id, [first.pk])[first.pk]
        row = PageEmbedding.objects.get(owner_id=owner.id, page=first)
        layout: Any = row.layout
    assert Image.open(io.BytesIO(content)).size == (first.width, first.height) == (1190, 1684)
    words = [Word("Alpha", *layout["boxes"][0]), Word("beta", *layout["boxes"][1])]
    with Client(service, token=KEY) as client:
        made = client.embed_pages([content], words=[words]).multi_vectors[0].vectors
    assert np.array_equal(kept, made)
    assert (row.pooled, row.sketch) == (small(made).pooled, small(made).sketch)


def test_every_frame_of_a_picture_is_a_page(owner: Someone) -> None:
    put(owner, "scan", picture("TIFF", *(Image.new("RGB", (30, 20), shade) for shade in ("red", "blue"))))
    worker.run()
    assert get_document(owner, "scan")["num_pages"] == 2


def test_what_was_shown_stays_until_the_new_content_is_ready_and_then_goes_at_once(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("old one", "old two"), metadata={"version": 1})
    process_all()
    with acting_for(owner.id):
        seq = Collection.objects.get(owner_id=owner.id).vectors_seq
    put(owner, "report.pdf", pdf("new"), metadata={"version": 2})
    found = get_document(owner, "report.pdf")
    assert (found["status"], found["num_pages"], found["metadata"]) == ("queued", 2, {"version": 1})
    assert shown_texts(owner, "report.pdf") == ["old one", "old two"]
    process_all()
    found = get_document(owner, "report.pdf")
    assert (found["status"], found["num_pages"], found["metadata"]) == ("ready", 1, {"version": 2})
    assert shown_texts(owner, "report.pdf") == ["new"]
    with acting_for(owner.id):
        assert Collection.objects.get(owner_id=owner.id).vectors_seq == seq + 1
        assert Revision.objects.filter(owner_id=owner.id).count() == 1


def test_a_failed_update_leaves_what_was_shown(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("old"))
    process_all()
    put(owner, "report.pdf", pdf("secret", encrypt=True))
    process_all()
    found = get_document(owner, "report.pdf")
    assert (found["status"], found["error"]["code"], found["num_pages"]) == ("failed", "file_encrypted", 1)
    assert shown_texts(owner, "report.pdf") == ["old"]


def test_a_first_upload_that_fails_shows_nothing(owner: Someone) -> None:
    put(owner, "broken.pdf", b"%PDF-1.7\nnothing\n%%EOF")
    process_all()
    found = get_document(owner, "broken.pdf")
    assert (found["status"], found["num_pages"], found["pages_done"]) == ("failed", 0, 0)
    assert found["error"] == {"code": "file_damaged", "detail": "The file is damaged and cannot be read."}


def test_a_damaged_page_fails_the_document_with_its_number(owner: Someone) -> None:
    put(owner, "broken.pdf", pdf("1", "2").replace(b"/Count 2", b"/Count 9"))
    process_all()
    found = get_document(owner, "broken.pdf")
    assert (found["error"]["code"], found["error"]["page"], found["pages_done"]) == ("file_damaged", 3, 0)


def test_a_document_that_does_not_fit_the_quota_fails_and_counts_nothing(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("one", "two"))
    with acting_for(owner.id):
        Usage.objects.filter(owner_id=owner.id).update(max_pages=1)
    process_all()
    assert get_document(owner, "report.pdf")["error"]["code"] == "quota_exceeded"


def test_a_file_that_is_gone_from_storage_fails_the_document(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("one"))
    with acting_for(owner.id):
        file = StoredFile.objects.get(owner_id=owner.id)
    storages["default"].delete(file.key)
    process_all()
    assert get_document(owner, "report.pdf")["error"]["code"] == "file_missing"
    with acting_for(owner.id):
        storages["default"].save(file.key, io.BytesIO(b"x" * file.size))  # so that the books balance


def test_pages_that_look_the_same_take_over_the_vectors_they_have(owner: Someone, charlie: Someone) -> None:
    for who in (charlie, owner):
        put(who, "one.pdf", pdf("same", "one"))
        process_all()
        assert latest_revision(who, "one.pdf").reused_pages == 0, "a stranger's pages are not taken"
    put(owner, "two.pdf", pdf("new", "same", "one"))
    process_all()
    assert (latest_revision(owner, "two.pdf").reused_pages, get_document(owner, "two.pdf")["num_pages"]) == (2, 3)
    with acting_for(owner.id):
        pages = dict(Page.objects.filter(owner_id=owner.id, text="same").values_list("revision__document__name", "pk"))
        first, second = vectors.read(owner.id, list(pages.values())).values()
        assert np.array_equal(first, second)
        assert Page.objects.filter(owner_id=owner.id, text="same").values("image").distinct().count() == 1


def test_pages_with_the_same_image_and_another_text_are_not_the_same(owner: Someone) -> None:
    for text in (b"alpha", b"beta"):
        put(owner, "hidden.pdf", pdf("x", content=b"BT 3 Tr /F 24 Tf 72 700 Td (%s) Tj ET" % text))
        process_all()
    assert shown_texts(owner, "hidden.pdf") == ["beta"]
    assert latest_revision(owner, "hidden.pdf").reused_pages == 0


def test_a_url_is_fetched_and_its_file_kept(owner: Someone, settings: Settings) -> None:
    content = pdf("from the web")
    page = b"<!DOCTYPE html><title>A page of the web</title>"
    with listening({"/report": ok(content), "/gone": status(404), "/page": ok(page)}) as server:
        here = frozenset({server.port})
        settings.ENV = replace(settings.ENV, fetch_allow=("127.0.0.1",), fetch_ports=here)
        for name in ("report", "gone", "page"):
            owner.post(UPSERT, {"name": name, "url": f"http://127.0.0.1:{server.port}/{name}"})
            process_all()
    assert shown_texts(owner, "report") == ["from the web"]
    assert latest_revision(owner, "report").size == len(content)
    assert get_document(owner, "gone")["error"]["code"] == "fetch_failed"
    assert get_document(owner, "page")["error"]["code"] == "unsupported_type"


def test_a_url_that_does_not_answer_is_tried_again_but_not_for_ever(owner: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, fetch_allow=("127.0.0.1",), fetch_ports=frozenset({1}))
    owner.post(UPSERT, {"name": "away", "url": "http://127.0.0.1:1/"})
    for _ in range(10):
        assert not worker.run()
        found = latest_revision(owner, "away")
        assert (found.status, found.waiting_for, found.attempts) == ("queued", "fetch_unavailable", 0)
        end_waits()
    worker.run()
    assert get_document(owner, "away")["error"]["code"] == "fetch_unavailable"


def test_a_url_into_a_private_network_fails(owner: Someone) -> None:
    owner.post(UPSERT, {"name": "inside", "url": "http://127.0.0.1/admin"})
    process_all()
    assert get_document(owner, "inside")["error"]["code"] == "fetch_refused"


def test_nothing_due_is_nothing_done(db: None) -> None:
    assert not worker.run()
    assert worker.sweep(limit=5) == 0


def test_a_document_deleted_meanwhile_is_let_go(owner: Someone, charlie: Someone) -> None:
    put(owner, "report.pdf", pdf("one"))
    owner.delete("/v1/documents/report.pdf/")
    process_all()
    with acting_for(owner.id):
        assert not Document.objects.filter(owner_id=owner.id).exists()
