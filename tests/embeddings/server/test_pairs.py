"""POST /rerank with the reranker."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import httpx
import numpy as np
import pytest

from embeddings.backends.lexical import LexicalBackend
from embeddings.contract import MultiVector
from tests.embeddings.counting import CountingReranker
from tests.embeddings.server.requesting import post
from tests.embeddings.server.test_engine import eventually, metric
from tests.embeddings.serving import KEY, encoded, serving, serving_with, text_image, until_ready

LONG = " ".join(["filler"] * 30 + ["penguins", "swim"])


@pytest.fixture(scope="module")
def reranking() -> Iterator[httpx.Client]:
    with serving(CountingReranker()) as client:
        yield client


def rerank(client: httpx.Client, *documents: Any, query: Any = "penguins swim far", **options: Any) -> httpx.Response:
    body = {"query": query, "documents": list(documents), "method": "cross_encoder"}
    return client.post("/rerank", json=body | options)


def test_texts_are_ranked_by_their_best_passage(reranking: httpx.Client) -> None:
    content = rerank(reranking, "invoices", LONG, {"text": "penguins"}, "").json()
    assert (content["model"], content["revision"], content["method"]) == ("tests/counting", "1", "cross_encoder")
    assert [result["index"] for result in content["results"]] == [1, 2, 0, 3]
    scores = [1 / (1 + math.exp(-logit)) for logit in (2, 1, 0, 0)]
    assert [result["relevance_score"] for result in content["results"]] == pytest.approx(scores)


def test_top_n_limits_the_results_and_no_documents_have_none(reranking: httpx.Client) -> None:
    assert [result["index"] for result in rerank(reranking, "a", LONG, top_n=1).json()["results"]] == [1]
    assert rerank(reranking).json()["results"] == []


def test_maxsim_stays_the_default(reranking: httpx.Client) -> None:
    content = reranking.post("/rerank", json={"query": "a", "documents": ["a"]}).json()
    assert (content["model"], content["method"]) == ("paliapi/lexical-v1", "maxsim")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"method": "other"}, 422, "bad_field"),
        ({"method": None}, 422, "bad_field"),
        ({"method": []}, 422, "bad_field"),
        ({"query": None}, 422, "bad_field"),
        ({"query": {"image": encoded(text_image("x"))}}, 422, "bad_field"),
        ({"query": "too long " * 9}, 422, "bad_field"),
        ({"documents": None}, 422, "bad_field"),
        ({"documents": [5]}, 422, "bad_field"),
        ({"documents": [{"embedding": [[1.0]]}]}, 422, "bad_field"),
        ({"documents": ["a"] * 65}, 413, "too_large"),
        ({"documents": ["a" * 100_001]}, 413, "too_large"),
        ({"top_n": 0}, 422, "bad_field"),
        ({"documents": ["fine", "boom"]}, 500, "cannot_embed"),
    ],
)
def test_invalid_request_is_refused(reranking: httpx.Client, change: dict[str, Any], status: int, code: str) -> None:
    response = rerank(reranking, "a", **change)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


def test_failing_document_is_named_by_its_index(reranking: httpx.Client) -> None:
    assert rerank(reranking, LONG, "boom", "fine").json()["index"] == 1


def test_service_without_reranker_has_a_code_of_its_own(service: httpx.Client) -> None:
    response = rerank(service, "a")
    assert (response.status_code, response.json()["code"]) == (501, "reranker_missing")
    assert service.get("/health").json()["reranker"] is None


def test_health_and_metrics_name_the_reranker(reranking: httpx.Client) -> None:
    assert reranking.get("/health").json()["reranker"] == {
        "model": "tests/counting",
        "revision": "1",
        "device": "cpu",
        "dtype": "float32",
    }
    assert 'model="tests/counting"' in reranking.get("/metrics").text


def test_a_key_is_required(reranking: httpx.Client) -> None:
    response = httpx.post(f"{reranking.base_url}/rerank", json={"query": "a", "documents": [], "method": "maxsim"})
    assert response.json()["code"] == "not_authorised"
    assert KEY not in response.text


def test_passages_are_counted_and_share_batches() -> None:
    reranker = CountingReranker(open_gate=False)
    with serving_with(LexicalBackend(), reranker, COLPALI_BATCH_SIZE="2") as client:
        reranker.gate.set()
        until_ready(client)
        reranker.batches.clear()
        assert rerank(client, "a b", "c d", LONG).status_code == 200
        assert metric(client, 'paliembed_inputs_total{lane="pair"}') == 6
    assert all(len(batch) <= 2 for batch in reranker.batches)
    assert any(len(batch) == 2 for batch in reranker.batches)
    assert reranker.closed


def test_too_many_tokens_are_refused_before_they_are_queued() -> None:
    with serving(CountingReranker(), COLPALI_MAX_QUEUE_TOKENS="40") as client:
        response = rerank(client, LONG, LONG)
        assert (response.status_code, response.json()["code"]) == (413, "too_large")
        assert rerank(client, LONG).status_code == 200


def test_queries_are_embedded_while_pairs_fill_their_queue() -> None:
    reranker = CountingReranker()
    with serving(reranker, COLPALI_MAX_QUEUE_TOKENS="40") as client, ThreadPoolExecutor(1) as threads:
        reranker.gate.clear()
        first = threads.submit(rerank, client, LONG)
        eventually(lambda: metric(client, "paliembed_queue_tokens") > 0)
        refused = rerank(client, LONG)
        assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert post(client, {"input_type": "text", "inputs": ["query"]}).status_code == 200
        reranker.gate.set()
        assert first.result().status_code == 200
        eventually(lambda: metric(client, "paliembed_queue_tokens") == 0)


def test_slow_reranker_answers_504() -> None:
    reranker = CountingReranker()
    with serving(reranker, COLPALI_TIMEOUT_S="1") as client:
        reranker.gate.clear()
        response = rerank(client, "a")
        assert (response.status_code, response.json()["code"]) == (504, "took_too_long")
        reranker.gate.set()


class WrongReranker(CountingReranker):
    """Prefers the wrong text."""

    def encode(self, batch: list[tuple[str, str]]) -> list[MultiVector]:
        return [MultiVector(-scored.vectors) for scored in super().encode(batch)]


class InfiniteReranker(CountingReranker):
    """Returns numbers that are not finite, once the self-test has passed."""

    def encode(self, batch: list[tuple[str, str]]) -> list[MultiVector]:
        if "penguins swim far" in {query for query, _ in batch}:
            return [MultiVector(np.array([[np.inf]], dtype=np.float16))] * len(batch)
        return super().encode(batch)


def fail() -> NoReturn:
    raise OSError("no weights here")


@pytest.mark.parametrize("reranker", [CountingReranker(load=fail), WrongReranker()], ids=["no weights", "self-test"])
def test_service_with_an_unusable_reranker_never_becomes_ready(reranker: CountingReranker) -> None:
    with serving_with(LexicalBackend(), reranker) as client:
        eventually(lambda: client.get("/health").json()["status"] == "failed")
        assert rerank(client, "a").status_code == 503


def test_numbers_that_are_not_finite_are_an_error() -> None:
    with serving(InfiniteReranker()) as client:
        assert rerank(client, "a").json()["code"] == "cannot_embed"
