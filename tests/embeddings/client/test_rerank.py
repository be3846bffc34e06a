"""Reranking by the client, against the real service and against others."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from embeddings.client import Client, InputRejected, InputTooLarge, InvalidResponse, NoReranker, ServiceUnavailable
from embeddings.client.checks import check_scores
from tests.embeddings.client.responses import FAST_RETRIES
from tests.embeddings.counting import CountingReranker
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted
from tests.embeddings.serving import KEY, serving

TEXTS = ["bread", "penguins swim", "penguins"]


@pytest.fixture(scope="module")
def reranking() -> Iterator[httpx.Client]:
    with serving(CountingReranker(), COLPALI_MAX_INPUTS="40") as client:
        yield client


@pytest.fixture
def client(reranking: httpx.Client) -> Iterator[Client]:
    with Client(str(reranking.base_url), token=KEY, retry_policy=FAST_RETRIES) as client:
        yield client


def test_scores_are_in_the_order_of_the_texts(client: Client) -> None:
    result = client.rerank("penguins swim", TEXTS)
    assert (result.model, result.revision) == ("tests/counting", "1")
    assert result.scores == pytest.approx([0.5, 0.8808, 0.7311], abs=1e-3)


def test_request_that_is_too_large_is_halved(client: Client) -> None:
    scores = client.rerank("penguins swim", TEXTS * 50).scores
    assert scores == client.rerank("penguins swim", TEXTS).scores * 50


def test_query_that_the_reranker_refuses_has_no_index(client: Client) -> None:
    with pytest.raises(InputRejected) as raised:
        client.rerank("word " * 9, TEXTS)
    assert raised.value.index is None
    with pytest.raises(InputRejected) as raised:
        client.rerank("penguins", ["fine", "boom"])
    assert raised.value.index == 1


def test_single_text_that_is_too_large_is_refused(client: Client) -> None:
    with pytest.raises(InputTooLarge):
        client.rerank("penguins", ["a" * 100_001, "b"])


def test_services_without_reranker_are_recognised(service: httpx.Client) -> None:
    with Client(str(service.base_url), token=KEY, retry_policy=FAST_RETRIES) as client, pytest.raises(NoReranker):
        client.rerank("a", TEXTS)
    replies = [
        Reply.json({"model": "older", "results": [{"index": 0, "relevance_score": 0.5}]}),
        Reply(404),
        Reply(405),
    ]
    with scripted(lambda _: replies.pop()) as server, Client(server.url, retry_policy=FAST_RETRIES) as client:
        for _ in range(3):
            with pytest.raises(NoReranker):
                client.rerank("a", ["b"])
    assert [request.path for request in server.requests] == ["/rerank"] * 3


def test_deadline_of_the_caller_ends_retries() -> None:
    with scripted(lambda _: Reply(503)) as server, Client(server.url, retry_policy=FAST_RETRIES) as client:
        with pytest.raises(ServiceUnavailable):
            client.rerank("a", ["b"], until=time.monotonic() - 1)
        assert server.requests == []
        with pytest.raises(ServiceUnavailable):
            client.rerank("a", ["b"])
        assert len(server.requests) == FAST_RETRIES.attempts


def test_rerankers_of_one_result_must_be_the_same() -> None:
    names = iter(["first", "second"])

    def reply(request: ReceivedRequest) -> Reply:
        count = len(request.json()["documents"])
        results = [{"index": index, "relevance_score": 0.5} for index in range(count)]
        return Reply.json({"model": next(names), "method": "cross_encoder", "results": results})

    with (
        scripted(reply) as server,
        Client(server.url, retry_policy=FAST_RETRIES) as client,
        pytest.raises(InvalidResponse, match="different rerankers"),
    ):
        client.rerank("a", ["b"] * 65)


def test_runpod_job_reranks() -> None:
    output: dict[str, Any] = {
        "model": "m",
        "revision": "1",
        "method": "cross_encoder",
        "results": [{"index": 1, "relevance_score": 1}, {"index": 0, "relevance_score": 0.25}],
    }
    problem = {"problem": {"status": 501, "code": "reranker_missing", "detail": "No reranker."}}
    outputs = ["text", problem, output]

    def reply(_: ReceivedRequest) -> Reply:
        return Reply.json({"id": "1", "status": "COMPLETED", "output": outputs.pop()})

    with (
        scripted(reply) as server,
        Client(server.url, transport="runpod", retry_policy=FAST_RETRIES) as client,
    ):
        assert client.rerank("a", ["b", "c"]).scores == [0.25, 1.0]
        with pytest.raises(NoReranker):
            client.rerank("a", ["b"])
        with pytest.raises(InvalidResponse):
            client.rerank("a", ["b"])
    assert server.requests[0].json()["input"]["documents"] == ["b", "c"]


@pytest.mark.parametrize(
    "results",
    [
        None,
        {},
        [],
        [{"index": 0}],
        [{"index": 0, "relevance_score": 1.5}],
        [{"index": 0, "relevance_score": float("nan")}],
        [{"index": 1, "relevance_score": 0.5}],
        [{"index": 0, "relevance_score": 0.5}, {"index": 7, "relevance_score": 0.5}],
        ["text"],
    ],
)
def test_scores_are_checked(results: Any) -> None:
    with pytest.raises(InvalidResponse):
        check_scores({"results": results}, count=1)
