"""The product's client of the embeddings service, mostly while that service hangs."""

import base64
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event, Semaphore

import pytest
from PIL import Image
from pytest_django import Settings

from collections_app import embeddings_client
from collections_app.engine.rendering.errors import UnsupportedType
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from embeddings.client import RetryPolicy
from embeddings.contract import VectorSpace
from tests.cast import Someone
from tests.collections_app.api.finding import PNG_BASE64
from tests.collections_app.ingestion import embeddings_reply
from tests.collections_app.searchable import with_words
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

TOY = VectorSpace("toy", "1", 4)
SHORT_WAIT = RetryPolicy(connect_s=1, read_s=0.2, total_s=0.25, attempts=1)


@dataclass
class HangingService:
    """A service that accepts requests, and responds once `released` is set."""

    requests: list[ReceivedRequest]
    url: str
    accepted: Semaphore
    released: Event


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingService]:
    released, accepted = Event(), Semaphore(0)

    def reply(request: ReceivedRequest) -> Reply:
        accepted.release()
        released.wait(60)
        return embeddings_reply(TOY, request)

    monkeypatch.setattr(embeddings_client, "_FAIL_FAST", SHORT_WAIT)
    monkeypatch.setattr(embeddings_client, "_PROBE_INTERVAL_S", 600.0)
    with scripted(reply) as server:
        yield HangingService(server.requests, server.url, accepted, released)
        released.set()


def use(settings: Settings, url: str) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=url, web_threads=4)


def space_of_query(text: str) -> VectorSpace:
    return embeddings_client.embed_query(text, at="/query").space


def test_hanging_service_holds_half_of_the_threads_until_it_responds(
    hanging: HangingService, settings: Settings
) -> None:
    use(settings, hanging.url)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(space_of_query, f"query {number}") for number in range(2)]
        assert all(hanging.accepted.acquire(timeout=20) for _ in waiting)
        with pytest.raises(EmbeddingsUnavailable):
            space_of_query("one more than may wait for long")
        assert len(hanging.requests) == 3
        for call in (
            lambda: space_of_query("while the circuit is open"),
            lambda: embeddings_client.embed([PNG_BASE64], task="image", at="/input_data"),
        ):
            with pytest.raises(EmbeddingsUnavailable) as error:
                call()
            assert error.value.retry_after_s
        assert len(hanging.requests) == 3, "an open circuit sends no requests"
        hanging.released.set()
        assert [query.result() for query in waiting] == [TOY, TOY]
    assert space_of_query("after the service is back") == TOY


def test_degraded_searches_do_not_wait_after_the_first_timeout(
    alice: Someone, service: str, hanging: HangingService, settings: Settings
) -> None:
    with_words(alice, "letter", ["invoice of the harbour"])
    use(settings, hanging.url)
    for number in range(3):
        search = {"query": f"invoice {number}", "allow_degraded": True, "include": ["receipt"], "images": "none"}
        response = alice.post("/v1/search/", search).json()
        assert response["receipt"]["degraded"] is True
        assert len(response["results"]) == 1
        assert len(hanging.requests) == 1


def test_service_is_available_if_it_embeds_a_query(service: str, settings: Settings) -> None:
    assert embeddings_client.is_available()
    use(settings, "http://127.0.0.1:1")
    assert not embeddings_client.is_available()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
def test_service_gets_only_what_our_own_encoder_wrote(settings: Settings, kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), "white").save(out, kind)
    sent = base64.b64encode(out.getvalue()).decode()
    with scripted(lambda request: embeddings_reply(TOY, request)) as server:
        use(settings, server.url)
        embeddings_client.embed_image_query(out.getvalue(), at="/image")
        embeddings_client.embed([sent], task="image", at="/input_data")
        received = [_image_of(image) for request in server.requests for image in request.json()["inputs"]]
    assert len(received) == 2
    for image in received:
        assert image != out.getvalue()
        with Image.open(io.BytesIO(image)) as opened:
            assert (opened.format, opened.size) == ("JPEG", (20, 10))


def test_error_of_an_image_names_it() -> None:
    with pytest.raises(UnsupportedType, match="PNG, JPEG, WebP, AVIF, BMP, TIFF or GIF") as raised:
        embeddings_client.embed([PNG_BASE64, "AAAA"], task="image", at="/input_data")
    assert [(one.pointer, one.code) for one in raised.value.problems] == [("/input_data/1", "unsupported_type")]


def _image_of(item: str | dict[str, str]) -> bytes:
    return base64.b64decode(item if isinstance(item, str) else item["image"])


@pytest.mark.parametrize("model", ["x" * 201, "a\0b"])
def test_space_whose_name_cannot_be_stored_is_rejected(settings: Settings, model: str) -> None:
    with scripted(lambda request: embeddings_reply(VectorSpace(model, "1", 4), request)) as server:
        use(settings, server.url)
        with pytest.raises(EmbeddingsUntrustworthy):
            embeddings_client.current_space()
        assert not embeddings_client.is_available()
