"""POST /embed and POST /rerank."""

import httpx
import pytest

from tests.embeddings.serving import encoded, text_image

PAGE = {"image": encoded(text_image("x")), "words": [["penguins", 0, 0, 1, 1], ["swim", 0, 0, 1, 1]]}


def test_texts_and_pages_are_embedded_in_one_request(service: httpx.Client) -> None:
    body = {"task": "document", "inputs": [{"text": "penguins swim"}, PAGE], "include": ["layout"]}
    answer = service.post("/embed", json=body).json()
    assert answer["embeddings"][0] == answer["embeddings"][1][:2]
    assert answer["layout"][0] is None


def test_documents_of_every_kind_are_put_in_order(service: httpx.Client) -> None:
    given = {"input_type": "text", "inputs": ["penguins fly"]}
    floats = service.post("/embeddings", json=given).json()["embeddings"][0]
    coded = service.post("/embeddings", json=given | {"encoding_format": "base64"}).json()["embeddings"][0]
    documents = ["the invoice", PAGE, {"embedding": floats}, {"embedding": coded}, {"text": "penguins swim"}]
    answer = service.post("/rerank", json={"query": "penguins swim", "documents": documents, "top_n": 4}).json()
    order = [one["index"] for one in answer["results"]]
    assert [set(order[:2]), set(order[2:])] == [{1, 4}, {2, 3}]
    assert answer["results"][0]["relevance_score"] == pytest.approx(1, abs=0.01)
    assert answer["model"] == "paliapi/lexical-v1"


def test_no_documents_are_in_order_already(service: httpx.Client) -> None:
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
def test_a_wrong_ranking_gets_a_clear_problem(service: httpx.Client, change: dict[str, object]) -> None:
    answer = service.post("/rerank", json={"query": "a", "documents": ["a"]} | change)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "bad_field"


def test_an_unknown_task_is_refused(service: httpx.Client) -> None:
    assert service.post("/embed", json={"task": ["query"], "inputs": []}).status_code == 422
    assert service.post("/embed", json={"inputs": [{"image": 1}]}).status_code == 422
