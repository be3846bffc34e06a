"""The client, against the real service."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from embeddings.client import (
    AccessDenied,
    Client,
    InputRejected,
    InputTooLarge,
    InvalidResponse,
    ServiceUnavailable,
    SpaceMismatch,
)
from embeddings.contract import VectorSpace, Word
from tests.embeddings.client.responses import FAST_RETRIES, one_row
from tests.embeddings.scripted import Reply, scripted
from tests.embeddings.serving import KEY, encoded, maxsim, serving, text_image

LEXICAL = VectorSpace("paliapi/lexical-v1", "1", 128)
PNG = base64.b64decode(encoded(text_image("Hello")))


@pytest.fixture
def client(service: httpx.Client) -> Iterator[Client]:
    with Client(str(service.base_url), token=KEY, expected_space=LEXICAL, retry_policy=FAST_RETRIES) as client:
        yield client


def test_query_matches_the_page_that_contains_its_words(client: Client) -> None:
    words = [[Word("invoice", 0, 0, 0.5, 0.5), Word("2024-117", 0.5, 0, 1, 0.5)], None]
    query = client.embed_queries(["invoice 2024-117"])
    pages = client.embed_pages([PNG, PNG], words=words, with_layout=True)
    assert query.space == pages.space == LEXICAL
    assert maxsim(query.multi_vectors[0].vectors, pages.multi_vectors[0].vectors) == pytest.approx(2, abs=0.01)
    layout = pages.multi_vectors[0].layout
    assert layout is not None
    assert layout["boxes"][:2] == [[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5]]


def test_no_request_is_sent_without_inputs() -> None:
    with Client("http://127.0.0.1:1", retry_policy=FAST_RETRIES) as client:
        assert client.embed_queries([]).multi_vectors == client.embed_pages([]).multi_vectors == []


def test_results_of_many_requests_keep_the_order_of_the_inputs(client: Client) -> None:
    texts = ["word " * count for count in range(1, 100)]
    assert [len(multi_vector.vectors) for multi_vector in client.embed_queries(texts).multi_vectors] == list(
        range(1, 100)
    )
    words = [[Word("a", 0, 0, 1, 1)] * count for count in range(20)]
    pages = client.embed_pages([PNG] * 20, words=words).multi_vectors
    assert [len(multi_vector.vectors) for multi_vector in pages] == [16 + count for count in range(20)]


def test_batch_that_is_too_large_is_halved_until_it_fits() -> None:
    with (
        serving(COLPALI_MAX_INPUTS="3") as service,
        Client(str(service.base_url), token=KEY, retry_policy=FAST_RETRIES) as client,
    ):
        assert len(client.embed_pages([PNG] * 8).multi_vectors) == 8


def test_single_input_that_is_too_large_is_named_by_index() -> None:
    with (
        serving(COLPALI_MAX_TEXT_CHARS="5") as service,
        Client(str(service.base_url), token=KEY, retry_policy=FAST_RETRIES) as client,
        pytest.raises(InputTooLarge) as raised,
    ):
        client.embed_queries(["a", "b", "too long a text", "c"])
    assert raised.value.index == 2


def test_rejected_page_is_named_by_its_index_among_all_inputs(client: Client) -> None:
    with pytest.raises(InputRejected) as raised:
        client.embed_pages([PNG] * 10 + [b"no image"] + [PNG])
    assert raised.value.index == 10


def test_wrong_token_raises_access_denied(service: httpx.Client) -> None:
    with (
        Client(str(service.base_url), token="wrong", retry_policy=FAST_RETRIES) as client,
        pytest.raises(AccessDenied),
    ):
        client.embed_queries(["a"])


def test_unexpected_space_is_refused(service: httpx.Client) -> None:
    for other in (replace(LEXICAL, model="b"), replace(LEXICAL, revision="2"), replace(LEXICAL, dim=64)):
        with (
            Client(str(service.base_url), token=KEY, expected_space=other, retry_policy=FAST_RETRIES) as client,
            pytest.raises(SpaceMismatch, match=r"paliapi/lexical-v1 at 1 \(128 dimensions\)"),
        ):
            client.embed_queries(["a"])


def test_vectors_of_another_dimension_than_announced_are_refused() -> None:
    reply = replace(Reply.json({"embeddings": [one_row(4)]}), headers={"x-embeddings-dim": "8"})
    with (
        scripted(lambda _: reply) as server,
        Client(server.url, retry_policy=FAST_RETRIES) as client,
        pytest.raises(InvalidResponse, match="announced 8 dimensions, but the vectors have 4"),
    ):
        client.embed_queries(["a"])


def test_unreachable_service_is_unavailable() -> None:
    with Client("http://127.0.0.1:1", retry_policy=FAST_RETRIES) as client, pytest.raises(ServiceUnavailable):
        client.embed_queries(["a"])
