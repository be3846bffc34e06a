"""Slices of a revision, with the real Postgres, files, renderer and embeddings service."""

import io
import os
import signal
import threading
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.db import connection
from PIL import Image
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.engine.retrieval.sketch import compact_forms
from collections_app.failpoints import Fault
from collections_app.ingest import pipeline, worker
from collections_app.models import Page, PageEmbedding, Revision, Status, StoredFile
from collections_app.storage import files, vectors
from embeddings.client import Client
from embeddings.contract import VectorSpace, Word
from paliapi.stack import processes
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.renderers import renderers
from tests.collections_app.engine.rendering.samples import pdf, picture
from tests.collections_app.ingestion import (
    assert_consistent,
    embeddings_reply,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    set_failpoint,
    shown_texts,
    use_embeddings,
)
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted
from tests.embeddings.serving import KEY

TINY = (72, 72)
SPACE = VectorSpace("toy", "1", 4)
TEXTS = [f"page {number}" for number in range(1, 19)]  # three batches
FAILPOINTS = (
    "claimed",
    "pages_rendered",
    "pages_embedded",
    "images_put",
    "pages_written",
    "pages_stored",
    "pages_rendered:2",
    "pages_written:2",
    "pages_stored:3",
    "before_publishing",
    "published",
)


def test_pdf_becomes_pages_with_text_images_and_vectors(owner: Someone, service: str) -> None:
    put(owner, "report.pdf", pdf("Alpha beta", "Gamma", "Delta"), metadata={"year": 2026})
    worker.run()
    document = get_document(owner, "report.pdf")
    assert (document["status"], document["num_pages"], document["pages_done"]) == ("ready", 3, 3)
    assert document["metadata"] == {"year": 2026}
    assert shown_texts(owner, "report.pdf") == ["Alpha beta", "Gamma", "Delta"]
    with acting_for(owner.id) as tx:
        first = Page.objects.select_related("image").get(owner_id=owner.id, number=1)
        image = files.content(first.image)
        stored = vectors.read(tx, [first.pk])[first.pk]
        row = PageEmbedding.objects.get(owner_id=owner.id, page=first)
        layout: Any = row.layout
    assert Image.open(io.BytesIO(image)).size == (first.width, first.height) == (1190, 1684)
    words = [Word("Alpha", *layout["boxes"][0]), Word("beta", *layout["boxes"][1])]
    with Client(service, token=KEY) as client:
        expected = client.embed_pages([image], words=[words]).multi_vectors[0].vectors
    assert np.array_equal(stored, expected)
    assert (row.pooled, row.sketch) == (compact_forms(expected).pooled, compact_forms(expected).sketch)


def test_every_frame_of_an_image_is_a_page(owner: Someone) -> None:
    put(owner, "scan", picture("TIFF", *(Image.new("RGB", (30, 20), shade) for shade in ("red", "blue"))))
    worker.run()
    assert get_document(owner, "scan")["num_pages"] == 2


def test_damaged_page_fails_the_document_with_its_number(owner: Someone) -> None:
    put(owner, "broken.pdf", pdf("1", "2").replace(b"/Count 2", b"/Count 9"))
    process_all()
    document = get_document(owner, "broken.pdf")
    assert (document["error"]["code"], document["error"]["page"]) == ("file_damaged", 3)
    assert document["pages_done"] == 0


def test_file_missing_from_storage_fails_the_document(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("one"))
    with acting_for(owner.id):
        file = StoredFile.objects.get(owner_id=owner.id)
    storages["default"].delete(file.key)
    process_all()
    assert get_document(owner, "report.pdf")["error"]["code"] == "file_missing"
    with acting_for(owner.id):
        storages["default"].save(file.key, io.BytesIO(b"x" * file.size))  # so that the data is consistent


@pytest.mark.parametrize("point", FAILPOINTS)
def test_next_worker_continues_where_a_worker_died(owner: Someone, settings: Settings, point: str) -> None:
    put(owner, "report.pdf", pdf("old"))
    process_all()
    put(owner, "report.pdf", pdf(*TEXTS, size=TINY))
    set_failpoint(settings, point)
    with pytest.raises(Fault):
        process_all()
    if point not in ("pages_stored:3", "published"):  # it is published with its last pages
        assert shown_texts(owner, "report.pdf") == ["old"]
        assert not worker.run(), "its lease has not expired"
    set_failpoint(settings, "")
    assert_consistent(owner)
    with acting_for(owner.id):
        latest = latest_revision(owner, "report.pdf")
        before = set(Page.objects.filter(revision=latest).values_list("pk", flat=True))
    end_waits()
    process_all()
    assert get_document(owner, "report.pdf")["status"] == "ready"
    assert shown_texts(owner, "report.pdf") == TEXTS
    with acting_for(owner.id):
        after = set(Page.objects.filter(owner_id=owner.id).values_list("pk", flat=True))
    assert before <= after, "stored pages are not processed again"


def test_attempts_with_progress_are_not_counted(owner: Someone, settings: Settings) -> None:
    put(owner, "report.pdf", pdf(*[f"page {number}" for number in range(40)], size=TINY))
    for _ in range(4):
        set_failpoint(settings, "pages_stored")
        with pytest.raises(Fault):
            worker.run()
        end_waits()
    set_failpoint(settings, "")
    process_all()
    assert get_document(owner, "report.pdf")["num_pages"] == 40


def test_large_document_lets_other_owners_pass(
    alice: Someone, charlie: Someone, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SLICE_PAGES", 8)
    texts = [f"page {number}" for number in range(20)]
    put(alice, "large.pdf", pdf(*texts, size=TINY))
    put(charlie, "small.pdf", pdf("one", size=TINY))
    assert worker.run()
    large = get_document(alice, "large.pdf")
    assert (large["status"], large["pages_done"]) == ("queued", 8)
    assert worker.run()
    assert get_document(charlie, "small.pdf")["status"] == "ready"
    assert not worker.run()
    assert shown_texts(alice, "large.pdf") == texts
    assert latest_revision(alice, "large.pdf").attempts == 0


def test_owner_with_nothing_in_flight_waits_for_a_batch_only(
    alice: Someone, charlie: Someone, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_CHECK_EVERY_S", 0.0)
    texts = [f"page {number}" for number in range(20)]
    put(alice, "large.pdf", pdf(*texts, size=TINY))
    put(alice, "other.pdf", pdf("one", size=TINY))
    put(charlie, "small.pdf", pdf("one", size=TINY))
    end_waits()
    assert worker.run()
    large = get_document(alice, "large.pdf")
    assert (large["status"], large["pages_done"]) == ("queued", 8)
    assert worker.run()
    assert get_document(charlie, "small.pdf")["status"] == "ready"
    process_all()
    assert shown_texts(alice, "large.pdf") == texts


def test_slice_ends_when_its_time_is_up(alice: Someone, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_SLICE_S", 0.0)
    put(alice, "a.pdf", pdf(*["x"] * 9, size=TINY))
    assert worker.run(), "its time was up before the first page"


def test_vectors_of_two_models_are_never_mixed_in_one_document(owner: Someone, settings: Settings) -> None:
    spaces = [VectorSpace("old", "1", 4)] + [VectorSpace("new", "1", 8)] * 10
    put(owner, "report.pdf", pdf(*TEXTS, size=TINY))
    with scripted(lambda request: embeddings_reply(spaces.pop(0), request)) as server:
        use_embeddings(settings, server.url)
        worker.run()
        row = latest_revision(owner, "report.pdf")
        assert (row.status, row.waiting_for, row.pages_done) == ("queued", "space_changed", 0)
        assert_consistent(owner)
        end_waits()
        process_all()
    row = latest_revision(owner, "report.pdf")
    assert row.space
    assert (row.status, row.space.model) == ("ready", "new")


def test_newer_upload_ends_the_work_on_an_older_one(real_owner: Someone, settings: Settings) -> None:
    replaced = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        if not replaced.is_set():
            replaced.set()
            put(real_owner, "report.pdf", pdf("newer", size=TINY))
            connection.close()
        return embeddings_reply(SPACE, request)

    put(real_owner, "report.pdf", pdf("older", size=TINY))
    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        worker.run()
        assert shown_texts(real_owner, "report.pdf") == []
        process_all()
    assert shown_texts(real_owner, "report.pdf") == ["newer"]
    with acting_for(real_owner.id):
        assert list(Revision.objects.values_list("status", flat=True)) == [Status.READY]


def test_one_batch_is_stored_while_the_next_is_embedded(real_owner: Someone, settings: Settings) -> None:
    stored = list[bool]()

    def first_batch_is_stored() -> bool:
        return latest_revision(real_owner, "report.pdf").pages_done == 8

    def reply(request: ReceivedRequest) -> Reply:
        if len(server.requests) == 2:
            stored.append(processes.wait_until(first_batch_is_stored, within_s=30))
            connection.close()
        return embeddings_reply(SPACE, request)

    put(real_owner, "report.pdf", pdf(*TEXTS, size=TINY))
    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        process_all()
    assert stored == [True]
    assert shown_texts(real_owner, "report.pdf") == TEXTS


def test_pages_rendered_before_the_renderer_is_killed_are_stored(owner: Someone, settings: Settings) -> None:
    def reply(request: ReceivedRequest) -> Reply:
        if len(server.requests) == 1:
            for pid in renderers():
                os.kill(pid, signal.SIGKILL)
        return embeddings_reply(SPACE, request)

    texts = [f"page {number}" for number in range(60)]
    put(owner, "report.pdf", pdf(*texts))
    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        worker.run()
        row = latest_revision(owner, "report.pdf")
        assert (row.status, row.waiting_for) == (Status.QUEUED, "render_unavailable")
        assert row.pages_done >= 8
        end_waits()
        process_all()
    assert shown_texts(owner, "report.pdf") == texts
