"""The npz format and the data types of the contract."""

import io

import numpy as np
import pytest

from embeddings.contract import MalformedNpz, MultiVector, VectorSpace, pack, unpack

SPACE = VectorSpace("m", "r", 2)
ROWS = np.array([[1, 0], [0, 1]], dtype=np.float16)
MAX_BYTES = 10_000


def test_unpack_returns_what_was_packed() -> None:
    multi_vectors = [MultiVector(ROWS, {"kind": "boxes", "boxes": [None, [0, 0, 1, 1]]}), MultiVector(ROWS[:1])]
    packed = pack(multi_vectors, input_type="image", space=SPACE, with_layout=True)
    unpacked, model, revision = unpack(packed, max_bytes=MAX_BYTES)
    assert (model, revision) == ("m", "r")
    assert [multi_vector.layout for multi_vector in unpacked] == [multi_vector.layout for multi_vector in multi_vectors]
    for actual, expected in zip(unpacked, multi_vectors, strict=True):
        np.testing.assert_array_equal(actual.vectors, expected.vectors)


def test_layouts_are_packed_only_on_request() -> None:
    multi_vectors = [MultiVector(ROWS, {"kind": "boxes", "boxes": [None, None]})]
    packed = pack(multi_vectors, input_type="image", space=SPACE, with_layout=False)
    assert unpack(packed, max_bytes=MAX_BYTES)[0][0].layout is None


def test_response_that_unpacks_to_too_many_bytes_is_refused() -> None:
    out = io.BytesIO()
    np.savez_compressed(out, count=1, emb_0=np.zeros(MAX_BYTES, dtype=np.float16))
    with pytest.raises(MalformedNpz, match="more than 10000 bytes"):
        unpack(out.getvalue(), max_bytes=MAX_BYTES)


def test_own_models_see_only_text() -> None:
    assert VectorSpace("paliapi/lexical-v1", "1", 128).text_only
    assert not VectorSpace("vidore/colqwen2-v1.0", "1", 128).text_only
