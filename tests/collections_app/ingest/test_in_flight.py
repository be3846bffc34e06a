"""Room for documents: by their number, by those that are rendered, and by the pages that wait for the service."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.ingest.embed_pages import SharedEmbedder
from collections_app.ingest.in_flight import InFlight
from embeddings.contract import VectorSpace
from tests.collections_app.engine.rendering.samples import picture
from tests.collections_app.ingestion import embeddings_reply, use_embeddings
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

DEADLINE_S = 20.0


class _Document:
    """A document that a test moves on by hand."""

    def __init__(self) -> None:
        self.may_render = threading.Event()
        self.may_end = threading.Event()

    def work(self, rendered: Callable[[], None]) -> None:
        assert self.may_render.wait(DEADLINE_S)
        rendered()
        assert self.may_end.wait(DEADLINE_S)

    def finish(self) -> None:
        self.may_render.set()
        self.may_end.set()


@contextmanager
def in_flight(limit: int, documents: list[_Document]) -> Iterator[InFlight]:
    """Start documents, and finish them at the end."""
    with SharedEmbedder(is_slow=False) as embedder, InFlight(embedder, limit=limit) as crowd:
        try:
            for document in documents:
                crowd.start(document.work)
            yield crowd
        finally:
            for document in documents:
                document.finish()


def has_room(crowd: InFlight, *, within_s: float = 0.0) -> bool:
    began = time.monotonic()
    crowd.wait_for_room(until=began + within_s)
    return crowd._has_room()


def test_two_documents_are_rendered_at_once_while_others_wait_for_the_service() -> None:
    documents = [_Document() for _ in range(4)]
    with in_flight(4, documents[:2]) as crowd:
        assert not has_room(crowd)
        documents[0].may_render.set()
        assert has_room(crowd, within_s=DEADLINE_S)
        crowd.start(documents[2].work)
        assert not has_room(crowd)
        for document in documents:
            document.finish()
        crowd.wait_until_empty(within_s=DEADLINE_S)
        assert crowd.is_empty()


def test_one_document_is_rendered_at_a_time_for_a_slow_service() -> None:
    with SharedEmbedder() as embedder, InFlight(embedder, limit=9) as crowd:
        assert has_room(crowd)
        document = _Document()
        crowd.start(document.work)
        assert not has_room(crowd)
        document.finish()
        assert has_room(crowd, within_s=DEADLINE_S)


def test_number_of_documents_is_limited() -> None:
    documents = [_Document() for _ in range(3)]
    for document in documents:
        document.may_render.set()
    with in_flight(3, documents) as crowd:
        assert not has_room(crowd)
        documents[1].finish()
        assert has_room(crowd, within_s=DEADLINE_S)


def test_document_that_ends_without_its_last_page_makes_room() -> None:
    with in_flight(9, []) as crowd:
        for _ in range(3):
            crowd.start(lambda _rendered: None)
        assert has_room(crowd, within_s=DEADLINE_S)


def test_exception_of_a_document_is_raised_and_the_others_end_first() -> None:
    def fail(_rendered: Callable[[], None]) -> None:
        raise ZeroDivisionError

    other = _Document()
    with SharedEmbedder(is_slow=False) as embedder:
        crowd = InFlight(embedder, limit=3)
        crowd.start(fail)
        crowd.start(other.work)
        other.finish()
        with pytest.raises(ZeroDivisionError):
            crowd.__exit__()
    assert crowd.is_empty()


def test_no_document_is_added_while_many_pages_wait_for_the_service(settings: Settings) -> None:
    may_reply = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        assert may_reply.wait(DEADLINE_S)
        return embeddings_reply(VectorSpace("toy", "1", 4), request)

    page = RenderedPage(number=1, total=1, image=picture("PNG"), content_type="image/png", width=40, height=20)
    with scripted(reply) as server, SharedEmbedder(is_slow=False) as embedder, InFlight(embedder, limit=99) as crowd:
        use_embeddings(settings, server.url)
        pending = embedder.submit([page] * 32, owner_id=1, document=1)
        assert not has_room(crowd)
        may_reply.set()
        pending.result()
        assert has_room(crowd, within_s=DEADLINE_S)
