"""Batches that are embedded in a thread of their own, and pages that the embeddings service refuses."""

import base64
import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval.sketch import compact_forms
from collections_app.ingest import worker
from collections_app.ingest.embed_pages import PageFailed, background_embedder
from collections_app.models import Page
from embeddings.contract import VectorSpace
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf, picture
from tests.collections_app.ingestion import embeddings_reply, get_document, process_all, put_with, use_embeddings
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

SPACE = VectorSpace("toy", "1", 4)
DEADLINE_S = 20


def page(number: int) -> RenderedPage:
    return RenderedPage(
        number=number, total=9, image=picture("PNG"), content_type="image/png", width=20, height=10, text="x"
    )


def refusing(*refused: int, naming: bool = True) -> Callable[[ReceivedRequest], Reply]:
    """Return a service that refuses pages of these heights, and says which page it was or not."""

    def reply(request: ReceivedRequest) -> Reply:
        body = request.json()
        heights = [_height(page) for page in body["inputs"] if body["input_type"] == "image"]
        for index, height in enumerate(heights):
            if height in refused:
                return Reply.json({"detail": "No.", **({"index": index} if naming else {})}, status=422)
        return embeddings_reply(SPACE, request)

    return reply


def _height(page: Any) -> int:
    content = base64.b64decode(page["image"] if isinstance(page, dict) else page)
    return Image.open(BytesIO(content)).height


def frames(*heights: int) -> bytes:
    """Return an image with a page of each height."""
    return picture("TIFF", *(Image.new("RGB", (20, height), "white") for height in heights))


def test_batches_are_embedded_in_order_without_blocking_the_caller(settings: Settings) -> None:
    may_reply = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        assert may_reply.wait(DEADLINE_S)
        return embeddings_reply(SPACE, request, rows=len(request.json()["inputs"]))

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with background_embedder(may_skip=False) as embed:
            first, second = embed([page(1), page(2)]), embed([page(3)])
            assert not first.done()
            may_reply.set()
            results = [future.result(DEADLINE_S) for future in (first, second)]
        assert [sorted(result.pages) for result in results] == [[1, 2], [3]]
        assert [result.spaces for result in results] == [{SPACE}, {SPACE}]
        assert [len(request.json()["inputs"]) for request in server.requests] == [2, 1]
    embedded = results[0].pages[2]
    assert embedded.compact_forms == compact_forms(embedded.multi_vector.vectors)


def test_refused_pages_are_listed_or_end_the_batch(settings: Settings) -> None:
    refuse_all = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        if len(request.json()["inputs"]) > 1 or refuse_all.is_set():
            return Reply.json({"detail": "No."}, status=422)
        return embeddings_reply(SPACE, request)

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with background_embedder(may_skip=True) as embed:
            assert sorted(embed([page(1), page(2)]).result(DEADLINE_S).pages) == [1, 2]
            assert embed([]).result(DEADLINE_S).spaces == set()
            refuse_all.set()
            result = embed([page(1), page(2)]).result(DEADLINE_S)
            assert (result.pages, sorted(result.refused)) == ({}, [1, 2])
        with background_embedder(may_skip=False) as embed, pytest.raises(PageFailed) as failure:
            embed([page(4), page(5)]).result(DEADLINE_S)
    assert failure.value.page == 4


@pytest.mark.parametrize("naming", [True, False], ids=["named", "unnamed"])
def test_pages_that_the_service_refuses_are_skipped(owner: Someone, settings: Settings, naming: bool) -> None:
    put_with(owner, frames(1, 2, 3, 4, 5))
    with scripted(refusing(2, 5, naming=naming)) as server:
        use_embeddings(settings, server.url)
        process_all()
    document = get_document(owner, "a.pdf")
    assert (document["status"], document["num_pages"]) == ("ready", 3)
    assert [(skipped["page"], skipped["code"]) for skipped in document["skipped_pages"]] == [
        (2, "input_not_embeddable"),
        (5, "input_not_embeddable"),
    ]
    with acting_for(owner.id):
        numbers = Page.objects.filter(owner_id=owner.id).order_by("number").values_list("number", flat=True)
        assert list(numbers) == [1, 3, 4]


def test_refused_page_fails_the_document_with_its_number(owner: Someone, settings: Settings) -> None:
    put(owner, "report.pdf", pdf("one", "two", "three", size=(72, 72)))
    with scripted(lambda _: Reply.json({"detail": "No.", "index": 1}, status=422)) as server:
        use_embeddings(settings, server.url)
        worker.run()
    error = get_document(owner, "report.pdf")["error"]
    assert (error["code"], error["page"]) == ("input_not_embeddable", 2)


def test_refused_page_is_found_if_the_service_does_not_name_it(owner: Someone, settings: Settings) -> None:
    put_with(owner, frames(1, 2, 3, 4), on_page_error="fail")
    with scripted(refusing(3, naming=False)) as server:
        use_embeddings(settings, server.url)
        process_all()
    error = get_document(owner, "a.pdf")["error"]
    assert (error["code"], error["page"]) == ("input_not_embeddable", 3)
