"""The embeddings endpoint, with a real embeddings service and its small lexical encoder."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from tests.cast import Someone
from tests.collections_app.documents import PNG
from tests.embeddings.serving import KEY, encoded, serving, text_image

PATH = "/v1/embeddings/"


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    with serving() as client:
        yield str(client.base_url)


@pytest.fixture
def service(running: str, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=running, embeddings_url_token=KEY)


def test_each_query_gets_its_own_multi_vector_in_order(alice: Someone, service: None) -> None:
    created = alice.post(PATH, {"input_data": ["total amount due", "lighthouse"], "task": "query"}).json()
    assert [item["index"] for item in created["data"]] == [0, 1]
    assert [item["object"] for item in created["data"]] == ["embedding", "embedding"]
    first, second = (np.array(item["embedding"]) for item in created["data"])
    assert first.shape[1] == second.shape[1] == 128
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=0.01)
    assert created["usage"] == {"prompt_tokens": len(first) + len(second), "total_tokens": len(first) + len(second)}
    assert created["model"]


def test_base64_image_is_embedded(alice: Someone, service: None) -> None:
    created = alice.post(PATH, {"input_data": [base64.b64encode(PNG).decode()], "task": "image"})
    assert (created.status_code, len(created.json()["data"])) == (200, 1)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"task": "query"}, "/input_data"),
        ({"input_data": "text", "task": "query"}, "/input_data"),
        ({"input_data": [], "task": "query"}, "/input_data"),
        ({"input_data": ["x"] * 33, "task": "query"}, "/input_data"),
        ({"input_data": [""], "task": "query"}, "/input_data/0"),
        ({"input_data": [5], "task": "query"}, "/input_data/0"),
        ({"input_data": ["x"], "task": "other"}, "/task"),
        ({"input_data": ["https://example.com/x.png"], "task": "image"}, "/input_data/0"),
        ({"input_data": [base64.b64encode(PNG).decode(), "AAAA"], "task": "image"}, "/input_data/1"),
    ],
)
def test_unembeddable_input_is_rejected_with_its_pointer(
    alice: Someone, service: None, body: dict[str, Any], pointer: str
) -> None:
    refused = alice.post(PATH, body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_each_image_of_a_request_gets_its_own_vectors_in_order(alice: Someone, service: None) -> None:
    images = [encoded(text_image(word)) for word in ("lighthouse", "invoice", "harbour")]
    together = alice.post(PATH, {"input_data": images, "task": "image"}).json()["data"]
    alone = [alice.post(PATH, {"input_data": [image], "task": "image"}).json()["data"][0] for image in images]
    assert [item["embedding"] for item in together] == [item["embedding"] for item in alone]


def test_unavailable_embeddings_service_is_503_with_retry_after(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url="http://127.0.0.1:9")
    refused = alice.post(PATH, {"input_data": ["x"], "task": "query"})
    assert (refused.status_code, refused.json()["code"]) == (503, "embeddings_unavailable")
    assert refused["Retry-After"]
    assert "127.0.0.1" not in refused.content.decode()


def test_wrong_service_token_is_not_a_client_error(alice: Someone, running: str, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=running, embeddings_url_token="not-the-key")
    refused = alice.post(PATH, {"input_data": ["x"], "task": "query"})
    assert (refused.status_code, refused.json()["code"]) == (503, "embeddings_untrustworthy")


def test_key_without_the_scope_cannot_embed(bob: Someone, service: None) -> None:
    assert bob.post(PATH, {"input_data": ["x"], "task": "query"}).json()["code"] == "scope_missing"
