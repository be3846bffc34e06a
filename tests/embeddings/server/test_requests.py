"""Parsing and validating request bodies."""

from typing import Any

import httpx
import pytest

from embeddings.contract import MAX_WORD_LENGTH, Word
from embeddings.errors import InvalidField, RequestTooLarge
from embeddings.server.requests import parse_embeddings, parse_image
from tests.embeddings.serving import settings


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"\xff", 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b'["a"]', 400, "not_json"),
        (b'{"input_type": "text", "inputs": ["\\ud800"]}', 400, "not_json"),
        (b"{}", 422, "bad_field"),
        (b'{"input_type": "audio", "inputs": []}', 422, "bad_field"),
        (b'{"input_type": ["text"], "inputs": []}', 422, "bad_field"),
        (b'{"input_type": "text"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": "a"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [null]}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [1]}', 422, "bad_field"),
        (b'{"input_type": "image", "inputs": [{"words": []}]}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "encoding_format": "pem"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "encoding_format": {}}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "include": "layout"}', 422, "bad_field"),
        (b'{"input_type": "text", "inputs": [], "include": [[]]}', 422, "bad_field"),
        (b'{"input_type": "image", "inputs": ["!"]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": [""]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": ["data:image/png"]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": ["aGVsbG8="]}', 422, "bad_image"),
        (b'{"input_type": "image", "inputs": [{"image": "aGVsbG8=", "words": 1}]}', 422, "bad_field"),
        (b'{"input_type": "image", "inputs": [{"image": "aGVsbG8=", "words": [["a", 0, 0, 1]]}]}', 422, "bad_field"),
        (
            b'{"input_type": "image", "inputs": [{"image": "aGVsbG8=", "words": [["a", 0, 0, 1, true]]}]}',
            422,
            "bad_field",
        ),
    ],
)
def test_malformed_body_is_refused_with_a_problem(service: httpx.Client, body: bytes, status: int, code: str) -> None:
    response = service.post("/embeddings", content=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["status"] == status
    assert isinstance(response.json()["detail"], str)


def words_of(*words: Any) -> tuple[Word, ...] | None:
    value = {"image": "aGVsbG8=", "words": list(words)}
    return parse_image(value, path="inputs[0]", task="document", settings=settings()).words


def test_words_are_clipped_to_the_page() -> None:
    inside, outside = ["a", 0.1, 0.2, 0.3, 0.4], ["b", -1, 0, 2, 1]
    assert words_of(inside, outside) == (Word("a", 0.1, 0.2, 0.3, 0.4), Word("b", 0, 0, 1, 1))
    assert words_of() == ()


def test_word_beyond_the_limit_is_refused() -> None:
    box = [0.0, 0.0, 1.0, 1.0]
    assert words_of(["a" * MAX_WORD_LENGTH, *box])
    with pytest.raises(RequestTooLarge, match=r"inputs\[0\].words\[0\] has 1001 characters; at most 1000"):
        words_of(["a" * (MAX_WORD_LENGTH + 1), *box])
    with pytest.raises(InvalidField, match=r"inputs\[0\].words\[1\] must be"):
        words_of(["a", *box], ["a", 0.0, 0.0, 1.0, float("nan")])


def test_queries_are_texts_and_documents_are_images() -> None:
    def task(kind: str) -> str:
        body = {"input_type": kind, "inputs": ["aGVsbG8="]}
        return parse_embeddings(body, default_format="float", settings=settings()).inputs[0].task

    assert (task("text"), task("image")) == ("query", "document")
