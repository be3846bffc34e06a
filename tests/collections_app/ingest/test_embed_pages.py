"""Pages of several documents that share requests, and pages that the embeddings service refuses."""

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
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.ingest import worker
from collections_app.ingest.embed_pages import PageFailed, PendingBatch, SharedEmbedder
from collections_app.models import Page
from embeddings.contract import VectorSpace
from paliapi.stack import processes
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf, picture
from tests.collections_app.ingestion import embeddings_reply, get_document, process_all, put_with, use_embeddings
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

SPACE = VectorSpace("toy", "1", 4)
DEADLINE_S = 20


def page(number: int, *, height: int = 10) -> RenderedPage:
    image = picture("PNG", Image.new("RGB", (20, height), "white"))
    return RenderedPage(
        number=number, total=9, image=image, content_type="image/png", width=20, height=height, text="x"
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


def test_batches_are_embedded_without_blocking_the_caller(settings: Settings) -> None:
    may_reply = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        assert may_reply.wait(DEADLINE_S)
        return embeddings_reply(SPACE, request, rows=len(request.json()["inputs"]))

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder(is_slow=False) as embedder:
            first = embedder.submit([page(1), page(2)], owner_id=1, document=1)
            assert not first.is_done()
            may_reply.set()
            result = first.result()
            assert first.is_done()
            assert embedder.submit([], owner_id=1, document=1).result().spaces == set()
    assert (sorted(result.pages), result.spaces) == ([1, 2], {SPACE})
    assert [len(request.json()["inputs"]) for request in server.requests] == [2]
    embedded = result.pages[2]
    assert embedded.compact_forms == compact_forms(embedded.multi_vector.vectors)


class _Gate:
    """A service that answers the first two requests, which keep both threads busy, only once the gate is open."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self._both_wait = threading.Barrier(3, timeout=DEADLINE_S)
        self._first_two = iter(range(2))

    def __call__(self, request: ReceivedRequest) -> Reply:
        if next(self._first_two, None) is not None:
            self._both_wait.wait()
            assert self.is_open.wait(DEADLINE_S)
        return embeddings_reply(SPACE, request)

    def keep_both_threads_busy(self, embedder: SharedEmbedder) -> list[PendingBatch]:
        first = embedder.submit([page(1)], owner_id=9, document=91)
        assert processes.wait_until(lambda: self._both_wait.n_waiting == 1, within_s=DEADLINE_S)
        second = embedder.submit([page(1)], owner_id=9, document=92)
        self._both_wait.wait()
        return [first, second]


def test_pages_of_many_documents_share_requests_and_owners_take_turns(settings: Settings) -> None:
    gate = _Gate()
    with scripted(gate) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder(is_slow=False) as embedder:
            pending = gate.keep_both_threads_busy(embedder)
            pending += [embedder.submit([page(1, height=10)], owner_id=1, document=number) for number in range(12)]
            pending.append(embedder.submit([page(1, height=20), page(2, height=20)], owner_id=2, document=20))
            assert embedder.count_pages() == 16
            gate.is_open.set()
            results = [batch.result() for batch in pending]
            assert embedder.count_pages() == 0
    assert [sorted(result.pages) for result in results] == [[1]] * 14 + [[1, 2]]
    heights = [[_height(content) for content in request.json()["inputs"]] for request in server.requests[2:]]
    assert sorted(heights, key=len) == [[10] * 6, [10, 20, 10, 20, 10, 10, 10, 10]]


def test_refused_page_of_one_document_does_not_affect_the_others_of_its_request(settings: Settings) -> None:
    gate = _Gate()
    refuse = refusing(20, naming=False)

    def reply(request: ReceivedRequest) -> Reply:
        gate(request)
        return refuse(request)

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder(is_slow=False) as embedder:
            pending = gate.keep_both_threads_busy(embedder)
            good = [embedder.submit([page(1, height=10)], owner_id=1, document=number) for number in range(3)]
            bad, skipping = (
                embedder.submit(
                    [page(1, height=10), page(2, height=20)], owner_id=1, document=4 + may_skip, may_skip=may_skip
                )
                for may_skip in (False, True)
            )
            gate.is_open.set()
            assert [sorted(batch.result().pages) for batch in pending + good] == [[1]] * 5
            with pytest.raises(PageFailed) as failure:
                bad.result()
            skipped = skipping.result()
    assert failure.value.page == 2
    assert (sorted(skipped.pages), sorted(skipped.refused)) == ([1], [2])


def test_unusable_response_for_one_document_does_not_affect_the_others_of_its_request(settings: Settings) -> None:
    gate = _Gate()

    def reply(request: ReceivedRequest) -> Reply:
        if any(_height(content) == 20 for content in request.json()["inputs"]):
            return Reply.json({"embeddings": "none"})
        return gate(request)

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder(is_slow=False) as embedder:
            gate.keep_both_threads_busy(embedder)
            good, bad = (
                embedder.submit([page(1, height=height), page(2, height=10)], owner_id=1, document=height)
                for height in (10, 20)
            )
            gate.is_open.set()
            assert sorted(good.result().pages) == [1, 2]
            with pytest.raises(EmbeddingsUntrustworthy):
                bad.result()


def test_pages_that_wait_fail_at_once_if_the_service_is_away(settings: Settings) -> None:
    gate = _Gate()

    def reply(request: ReceivedRequest) -> Reply:
        gate(request)
        return Reply.json({"detail": "The model is not ready."}, status=503, **{"retry-after": "0"})

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder(is_slow=False) as embedder:
            pending = gate.keep_both_threads_busy(embedder)
            pending += [embedder.submit([page(1)], owner_id=1, document=number) for number in range(40)]
            gate.is_open.set()
            for batch in pending:
                with pytest.raises(EmbeddingsUnavailable):
                    batch.result()
    of_pages = [request for request in server.requests if request.json()["input_type"] == "image"]
    assert len(of_pages) < 3 * (2 + 40 / 8), "three attempts for each request"


def test_service_gets_one_request_at_a_time_until_it_has_answered_quickly(settings: Settings) -> None:
    may_reply = threading.Semaphore(0)

    def reply(request: ReceivedRequest) -> Reply:
        assert may_reply.acquire(timeout=DEADLINE_S)
        return embeddings_reply(SPACE, request)

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder() as embedder:
            first = embedder.submit([page(1)], owner_id=1, document=1)
            assert processes.wait_until(lambda: len(server.requests) == 1, within_s=DEADLINE_S)
            others = [embedder.submit([page(1)] * 8, owner_id=1, document=number) for number in (2, 3)]
            assert len(server.requests) == 1
            may_reply.release()
            first.result()
            assert processes.wait_until(lambda: len(server.requests) == 3, within_s=DEADLINE_S)
            assert not embedder.is_slow
            may_reply.release(2)
            for other in others:
                other.result()


def test_cancelled_pages_are_not_sent(settings: Settings) -> None:
    gate = _Gate()
    with scripted(gate) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder(is_slow=False) as embedder:
            gate.keep_both_threads_busy(embedder)
            embedder.submit([page(1)], owner_id=1, document=1).cancel()
            gate.is_open.set()
            embedder.submit([page(2)], owner_id=1, document=2).result()
    assert [len(request.json()["inputs"]) for request in server.requests] == [1, 1, 1]


def test_refused_pages_are_listed_or_end_the_batch(settings: Settings) -> None:
    refuse_all = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        if len(request.json()["inputs"]) > 1 or refuse_all.is_set():
            return Reply.json({"detail": "No."}, status=422)
        return embeddings_reply(SPACE, request)

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        with SharedEmbedder(is_slow=False) as embedder:
            batch = embedder.submit([page(1), page(2)], owner_id=1, document=1, may_skip=True)
            assert sorted(batch.result().pages) == [1, 2]
            refuse_all.set()
            result = embedder.submit([page(1), page(2)], owner_id=1, document=1, may_skip=True).result()
            assert (result.pages, sorted(result.refused)) == ({}, [1, 2])
            with pytest.raises(PageFailed) as failure:
                embedder.submit([page(4), page(5)], owner_id=1, document=1).result()
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
