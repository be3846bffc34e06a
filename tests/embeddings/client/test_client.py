"""The client, against the real service and against servers that fail and lie."""

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest

from embeddings.client import (
    AccessDenied,
    Client,
    ClientError,
    InputRejected,
    InputTooLarge,
    InvalidResponse,
    RetryPolicy,
    ServiceUnavailable,
    SpaceMismatch,
)
from embeddings.contract import VectorSpace, Word
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted
from tests.embeddings.serving import KEY, encoded, maxsim, serving, text_image

QUICK = RetryPolicy(connect_s=2, read_s=5, total_s=5, attempts=3, first_pause_s=0.01, max_pause_s=0.02)
LEXICAL = VectorSpace("paliapi/lexical-v1", "1", 128)
PNG = base64.b64decode(encoded(text_image("Hello")))


@pytest.fixture
def client(service: httpx.Client) -> Iterator[Client]:
    with Client(str(service.base_url), token=KEY, expected_space=LEXICAL, retry_policy=QUICK) as client:
        yield client


def test_queries_find_pages(client: Client) -> None:
    words = [[Word("invoice", 0, 0, 0.5, 0.5), Word("2024-117", 0.5, 0, 1, 0.5)], None]
    asked = client.embed_queries(["invoice 2024-117"])
    pages = client.embed_pages([PNG, PNG], words=words, with_layout=True)
    assert asked.space == pages.space == LEXICAL
    assert maxsim(asked.multi_vectors[0].vectors, pages.multi_vectors[0].vectors) == pytest.approx(2, abs=0.01)
    layout = pages.multi_vectors[0].layout
    assert layout is not None
    assert layout["boxes"][:2] == [[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5]]


def test_nothing_asked_is_nothing_sent() -> None:
    with Client("http://127.0.0.1:1", retry_policy=QUICK) as client:
        assert client.embed_queries([]).multi_vectors == client.embed_pages([]).multi_vectors == []


def test_many_inputs_come_back_in_order(client: Client) -> None:
    texts = ["word " * number for number in range(1, 100)]
    assert [len(one.vectors) for one in client.embed_queries(texts).multi_vectors] == list(range(1, 100))
    pages = [[Word("a", 0, 0, 1, 1)] * number for number in range(20)]
    found = client.embed_pages([PNG] * 20, words=pages).multi_vectors
    assert [len(one.vectors) for one in found] == [16 + number for number in range(20)]


def test_a_batch_that_is_too_large_is_halved_until_it_fits() -> None:
    with (
        serving(COLPALI_MAX_INPUTS="3") as service,
        Client(str(service.base_url), token=KEY, retry_policy=QUICK) as client,
    ):
        assert len(client.embed_pages([PNG] * 8).multi_vectors) == 8
    with (
        serving(COLPALI_MAX_TEXT_CHARS="5") as service,
        Client(str(service.base_url), token=KEY, retry_policy=QUICK) as client,
        pytest.raises(InputTooLarge) as told,
    ):
        client.embed_queries(["a", "b", "too long a text", "c"])
    assert told.value.index == 2


def test_a_broken_page_is_named_by_its_place_among_all(client: Client) -> None:
    with pytest.raises(InputRejected) as told:
        client.embed_pages([PNG] * 10 + [b"no image"] + [PNG])
    assert told.value.index == 10


def test_a_wrong_token_is_told(service: httpx.Client) -> None:
    with Client(str(service.base_url), token="wrong", retry_policy=QUICK) as client, pytest.raises(AccessDenied):
        client.embed_queries(["a"])


def test_another_model_than_expected_is_refused(service: httpx.Client) -> None:
    for other in (replace(LEXICAL, model="b"), replace(LEXICAL, revision="2"), replace(LEXICAL, dim=64)):
        with (
            Client(str(service.base_url), token=KEY, expected_space=other, retry_policy=QUICK) as client,
            pytest.raises(SpaceMismatch, match=r"paliapi/lexical-v1 at 1 \(128 dimensions\)"),
        ):
            client.embed_queries(["a"])


def test_a_service_that_is_not_there_is_unavailable() -> None:
    with Client("http://127.0.0.1:1", retry_policy=QUICK) as client, pytest.raises(ServiceUnavailable):
        client.embed_queries(["a"])


def one_row(dim: int = 4) -> list[list[float]]:
    return [[1.0] + [0.0] * (dim - 1)]


def embedded(asked: ReceivedRequest) -> Reply:
    return Reply.json({"embeddings": [one_row()] * len(asked.json()["inputs"])})


def test_a_simple_service_is_enough_and_its_padding_is_dropped() -> None:
    with (
        scripted(lambda _: Reply.json({"embeddings": [[[0.0] * 4, *one_row()]]})) as server,
        Client(f"{server.url}/embeddings/", retry_policy=QUICK) as client,
    ):
        found = client.embed_queries(["a"])
    assert found.space == VectorSpace("", "", 4)
    assert found.multi_vectors[0].vectors.tolist() == one_row()
    assert server.requests[0].path == "/embeddings"
    assert server.requests[0].json() == {"input_type": "text", "inputs": ["a"]}


@pytest.mark.parametrize(
    "failure", [Reply(503, headers={"retry-after": "0"}), Reply(429), Reply(502), Reply(504), None]
)
def test_what_passes_is_tried_again(failure: Reply | None) -> None:
    def reply(asked: ReceivedRequest) -> Reply | None:
        return embedded(asked) if len(server.requests) == 3 else failure

    with scripted(reply) as server, Client(server.url, retry_policy=QUICK) as client:
        assert len(client.embed_queries(["a"]).multi_vectors) == 1
    assert len(server.requests) == 3


def test_what_does_not_pass_is_unavailable_and_says_when_to_come_back() -> None:
    with scripted(lambda _: Reply(503, headers={"retry-after": "90"})) as server:
        with Client(server.url, retry_policy=QUICK) as client, pytest.raises(ServiceUnavailable) as told:
            client.embed_queries(["a"])
        assert told.value.retry_after_s == 90
        assert len(server.requests) == 1


def test_vectors_of_another_length_than_the_service_names_are_not_believed() -> None:
    reply = replace(Reply.json({"embeddings": [one_row(4)]}), headers={"x-embeddings-dim": "8"})
    with (
        scripted(lambda _: reply) as server,
        Client(server.url, retry_policy=QUICK) as client,
        pytest.raises(InvalidResponse, match="announced 8 dimensions, but the vectors have 4"),
    ):
        client.embed_queries(["a"])


def test_a_result_that_lies_elsewhere_on_the_same_service_is_fetched() -> None:
    def reply(asked: ReceivedRequest) -> Reply:
        if asked.method == "POST":
            return Reply(303, headers={"location": "/result?id=1"})
        assert asked.headers["authorization"] == "Bearer t"
        return Reply.json({"embeddings": [one_row()]})

    with scripted(reply) as server, Client(server.url, token="t", retry_policy=QUICK) as client:
        assert len(client.embed_queries(["a"]).multi_vectors) == 1


@pytest.mark.parametrize("location", ["http://127.0.0.2:1/", "http://[", "", "/again"])
def test_a_redirect_leads_the_token_nowhere_else(location: str) -> None:
    with (
        scripted(lambda _: Reply(303, headers={"location": location})) as server,
        Client(server.url, token="t", retry_policy=QUICK) as client,
        pytest.raises(InvalidResponse),
    ):
        client.embed_queries(["a"])


def npz(**arrays: Any) -> Reply:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return Reply(body=out.getvalue(), headers={"content-type": "application/x-npz"})


GOOD = {"count": 1, "input_type": "text", "model": "m", "revision": "r", "emb_0": np.array([[1, 0]], dtype=np.float16)}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b""),
        Reply(body=b"<html>"),
        Reply(body=b"[" * 100_000),
        Reply(404),
        Reply.json([]),
        Reply.json({}),
        Reply.json({"embeddings": []}),
        Reply.json({"embeddings": [one_row(), one_row()]}),
        Reply.json({"embeddings": [[]]}),
        Reply.json({"embeddings": [[[]]]}),
        Reply.json({"embeddings": [None]}),
        Reply.json({"embeddings": [[["a", "b"]]]}),
        Reply.json({"embeddings": [[[1.0, 0.0], [1.0]]]}),
        Reply.json({"embeddings": [[[1.0, 1.0]]]}),
        Reply.json({"embeddings": [[[1e300, 0.0]]]}),
        Reply.json({"embeddings": [[[float("nan"), 1.0]]]}),
        Reply.json({"embeddings": [[[0.0, 0.0]]]}),
        Reply.json({"embeddings": [{"shape": [1, 2], "dtype": "float16", "data": "AAA="}]}),
        Reply.json({"embeddings": [{"shape": [0, 2], "dtype": "float16", "data": ""}]}),
        Reply.json({"embeddings": [{"shape": [1, 2], "dtype": "object", "data": "AAA="}]}),
        Reply.json({"embeddings": [one_row()], "layout": [{"kind": "boxes", "boxes": []}]}),
        Reply.json({"embeddings": [one_row()], "layout": [{"kind": "boxes", "boxes": [[0, 0, 1, "1"]]}]}),
        Reply.json({"embeddings": [one_row()], "layout": [{"kind": "grid", "n_x": 9, "n_y": 9, "offset": 0}]}),
        Reply.json({"embeddings": [one_row()], "layout": [7]}),
        Reply.json({"embeddings": [one_row()], "layout": 7}),
        Reply(body=b"PK", headers={"content-type": "application/x-npz"}),
        npz(**{**GOOD, "count": 2}),
        npz(**{**GOOD, "count": [1, 2]}),
        npz(**{**GOOD, "emb_0": np.array([[1]], dtype=np.int32)}),
        npz(**{**GOOD, "emb_0": np.array([[{}]], dtype=object)}),
        npz(**{**GOOD, "emb_0": np.array([1, 0], dtype=np.float16)}),
        npz(**{**GOOD, "emb_0": np.array([[np.inf, 0]], dtype=np.float16)}),
        npz(**{**GOOD, "layout": np.frombuffer(b"[1, 2]", dtype=np.uint8)}),
        npz(**{**GOOD, "emb_1": np.zeros(2**26, dtype=np.float64)}),
    ],
)
def test_an_answer_that_cannot_be_believed_is_not_believed(reply: Reply) -> None:
    with (
        scripted(lambda _: reply) as server,
        Client(server.url, retry_policy=QUICK) as client,
        pytest.raises(InvalidResponse),
    ):
        client.embed_queries(["a"])


def job(status: str, **more: Any) -> Reply:
    return Reply.json({"id": "j-1", "status": status, **more})


def coded() -> dict[str, Any]:
    data = base64.b64encode(np.array(one_row(), dtype=np.float16).tobytes()).decode()
    return {"embeddings": [{"shape": [1, 4], "dtype": "float16", "data": data}], "model": "m", "revision": "r"}


def queue(*replies: Reply) -> Callable[[ReceivedRequest], Reply]:
    left = list(replies)
    return lambda _: left.pop(0)


def test_a_queued_job_is_looked_at_until_it_is_done() -> None:
    script = queue(job("IN_QUEUE"), job("IN_PROGRESS"), Reply(429), job("IN_QUEUE"), job("COMPLETED", output=coded()))
    with (
        scripted(script) as server,
        Client(f"{server.url}/v2/x/runsync", transport="runpod", retry_policy=QUICK) as client,
    ):
        found = client.embed_queries(["a"])
    assert found.space == VectorSpace("m", "r", 4)
    paths = [f"{asked.method} {asked.path}" for asked in server.requests]
    assert paths[:3] == ["POST /v2/x/runsync", "GET /v2/x/status/j-1", "GET /v2/x/status/j-1"]
    assert server.requests[0].json()["input"]["encoding_format"] == "base64"


def test_a_job_whose_result_has_vanished_is_sent_again() -> None:
    script = queue(job("IN_QUEUE"), Reply(404), job("COMPLETED", output=coded()))
    with scripted(script) as server, Client(server.url, transport="runpod", retry_policy=QUICK) as client:
        assert len(client.embed_queries(["a"]).multi_vectors) == 1


def test_the_answer_of_a_colivara_worker_is_understood() -> None:
    output = {"object": "list", "data": [{"object": "embedding", "embedding": one_row(), "index": 0}]}
    with (
        scripted(lambda _: job("COMPLETED", output=output)) as server,
        Client(server.url, transport="runpod", retry_policy=QUICK) as client,
    ):
        assert client.embed_queries(["a"]).space == VectorSpace("", "", 4)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (job("FAILED", error="boom"), ServiceUnavailable),
        (job("TIMED_OUT"), ServiceUnavailable),
        (job("IN_QUEUE"), ServiceUnavailable),
        (job("COMPLETED", output=None), InvalidResponse),
        (job("COMPLETED", output={"problem": {"status": 422, "detail": "no image", "index": 0}}), InputRejected),
        (job("COMPLETED", output={"problem": {"status": 413, "detail": "large"}}), InputTooLarge),
        (job("COMPLETED", output={"problem": {"status": 503, "detail": "not now"}}), ServiceUnavailable),
        (Reply.json(["job"]), InvalidResponse),
        (Reply(401), AccessDenied),
    ],
)
def test_a_job_that_fails_says_how(reply: Reply, error: type[ClientError]) -> None:
    patience = replace(QUICK, total_s=0.5)
    with (
        scripted(lambda _: reply) as server,
        Client(server.url, transport="runpod", retry_policy=patience) as client,
        pytest.raises(error),
    ):
        client.embed_queries(["a"])
