"""The checks of a response."""

from typing import Any

import numpy as np
import pytest

from embeddings.client import Client, InvalidResponse, SpaceMismatch
from embeddings.client.checks import check_multi_vectors, check_space
from embeddings.contract import MAX_WORD_LENGTH, MAX_WORDS, MultiVector, VectorSpace
from tests.embeddings.client.responses import FAST_RETRIES, npz, one_row
from tests.embeddings.scripted import Reply, scripted

VALID = {"count": 1, "input_type": "text", "model": "m", "revision": "r", "emb_0": np.array([[1, 0]], dtype=np.float16)}


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
        npz(**{**VALID, "count": 2}),
        npz(**{**VALID, "count": [1, 2]}),
        npz(**{**VALID, "emb_0": np.array([[1]], dtype=np.int32)}),
        npz(**{**VALID, "emb_0": np.array([[{}]], dtype=object)}),
        npz(**{**VALID, "emb_0": np.array([1, 0], dtype=np.float16)}),
        npz(**{**VALID, "emb_0": np.array([[np.inf, 0]], dtype=np.float16)}),
        npz(**{**VALID, "layout": np.frombuffer(b"[1, 2]", dtype=np.uint8)}),
        npz(**{**VALID, "emb_1": np.zeros(2**26, dtype=np.float64)}),
    ],
)
def test_invalid_response_is_refused(reply: Reply) -> None:
    with (
        scripted(lambda _: reply) as server,
        Client(server.url, retry_policy=FAST_RETRIES) as client,
        pytest.raises(InvalidResponse),
    ):
        client.embed_queries(["a"])


def test_padding_rows_are_dropped_only_without_a_layout() -> None:
    vectors = np.array([[0, 0], [1, 0]], dtype=np.float16)
    (checked,) = check_multi_vectors([MultiVector(vectors)], count=1)
    assert checked.vectors.tolist() == [[1, 0]]
    with pytest.raises(InvalidResponse, match="not of unit length"):
        check_multi_vectors([MultiVector(vectors, {"kind": "boxes", "boxes": [None, None]})], count=1)


def test_only_valid_words_of_a_layout_are_used() -> None:
    box = [0.0, 0.0, 1.0, 1.0]
    longest = ["a" * MAX_WORD_LENGTH, *box]
    invalid: list[Any] = [None, [""], ["", *box], ["a" * (MAX_WORD_LENGTH + 1), *box], ["a", 0, 0, 1, 2]]
    layout: Any = {"kind": "boxes", "boxes": [None], "words": [*invalid, longest]}
    row = np.array([[1, 0]], dtype=np.float16)
    (checked,) = check_multi_vectors([MultiVector(row, layout)], count=1)
    assert checked.layout == {"kind": "boxes", "boxes": [None], "words": [longest]}
    layout["words"] = [["a", *box]] * (MAX_WORDS + 1)
    (checked,) = check_multi_vectors([MultiVector(row, layout)], count=1)
    assert checked.layout is not None
    assert len(checked.layout["words"]) == MAX_WORDS


def test_space_of_an_unnamed_model_must_have_the_same_dimension() -> None:
    expected = VectorSpace("m", "1", 4)
    check_space(VectorSpace("", "", 4), expected=expected)
    check_space(VectorSpace("other", "2", 8), expected=None)
    for other in (VectorSpace("", "", 8), VectorSpace("m", "2", 4), VectorSpace("n", "1", 4)):
        with pytest.raises(SpaceMismatch):
            check_space(other, expected=expected)
