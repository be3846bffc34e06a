"""POST /rerank."""

import httpx
import pytest

from tests.embeddings.serving import encoded, text_image

PAGE = {"image": encoded(text_image("x")), "words": [["penguins", 0, 0, 1, 1], ["swim", 0, 0, 1, 1]]}


def test_documents_of_every_kind_are_ranked(service: httpx.Client) -> None:
    request = {"input_type": "text", "inputs": ["penguins fly"]}
    floats = service.post("/embeddings", json=request).json()["embeddings"][0]
    in_base64 = service.post("/embeddings", json=request | {"encoding_format": "base64"}).json()["embeddings"][0]
    documents = ["the invoice", PAGE, {"embedding": floats}, {"embedding": in_base64}, {"text": "penguins swim"}]
    content = service.post("/rerank", json={"query": "penguins swim", "documents": documents, "top_n": 4}).json()
    order = [result["index"] for result in content["results"]]
    assert [set(order[:2]), set(order[2:])] == [{1, 4}, {2, 3}]
    assert content["results"][0]["relevance_score"] == pytest.approx(1, abs=0.01)
    assert content["model"] == "paliapi/lexical-v1"


def test_empty_list_of_documents_returns_no_results(service: httpx.Client) -> None:
    assert service.post("/rerank", json={"query": "a", "documents": []}).json()["results"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"query": None},
        {"query": {"embedding": []}},
        {"query": {"embedding": [[1, 2]]}},
        {"query": {"embedding": [["a"] * 128]}},
        {"query": {"embedding": [[1e300] * 128]}},
        {"query": {"embedding": [[0.0] * 128]}},
        {"query": {"embedding": [[1.0] * 128, [1.0]]}},
        {"query": {"embedding": {"shape": [1, 128], "data": "AA=="}}},
        {"query": {"embedding": {"shape": [-1, -128], "data": "A" * 344}}},
        {"query": {"embedding": {"shape": ["a"], "data": 1}}},
        {"query": {"embedding": {"shape": 1, "data": "AAAA"}}},
        {"query": {"embedding": {}}},
        {"documents": None},
        {"documents": [5]},
        {"documents": [{"embedding": None}]},
        {"top_n": 0},
        {"top_n": True},
        {"top_n": "1"},
    ],
)
def test_invalid_field_is_refused(service: httpx.Client, change: dict[str, object]) -> None:
    response = service.post("/rerank", json={"query": "a", "documents": ["a"]} | change)
    assert response.status_code == 422, response.text
    assert response.json()["code"] == "bad_field"
