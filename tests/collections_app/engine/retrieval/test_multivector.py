"""The binary form of a multi-vector: it round-trips, and anything malformed is rejected."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from collections_app.engine.retrieval.multivector import MAX_DIMENSIONS, InvalidMultiVector, decode, encode

OID = 3_000_000_123

multi_vectors = arrays.arrays(
    np.float16,
    st.tuples(st.integers(1, 40), st.integers(1, 130)),
    elements=st.floats(-1, 1, width=16),
)


def encode_slowly(vectors: NDArray[np.float16], oid: int) -> bytes:
    """Encode the slow and obvious way."""
    data = struct.pack(">iiIii", 1, 0, oid, len(vectors), 1)
    for vector in vectors:
        body = struct.pack(f">hh{len(vector)}e", len(vector), 0, *(float(number) for number in vector))
        data += struct.pack(">i", len(body)) + body
    return data


@given(multi_vectors)
def test_encoding_equals_the_slow_one_and_round_trips(vectors: NDArray[np.float16]) -> None:
    wire = encode(vectors, element_oid=OID)
    assert wire == encode_slowly(vectors, OID)
    back = decode(wire)
    assert back.dtype == np.float16
    assert back.tobytes() == vectors.tobytes()


def test_strided_slice_is_encoded_like_its_copy() -> None:
    wide = np.arange(60, dtype=np.float16).reshape(6, 10)
    assert encode(wide[::2, ::3], element_oid=OID) == encode(wide[::2, ::3].copy(), element_oid=OID)


def test_decoded_array_is_writable() -> None:
    decode(encode(np.ones((2, 3), dtype=np.float16), element_oid=OID))[0, 0] = 5


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((0, 4), dtype=np.float16),
        np.zeros((4, 0), dtype=np.float16),
        np.zeros(4, dtype=np.float16),
        np.zeros((2, 2, 2), dtype=np.float16),
        np.zeros((1, MAX_DIMENSIONS + 1), dtype=np.float16),
        np.zeros((2, 2), dtype=np.float32),
    ],
    ids=lambda vectors: f"{vectors.dtype}{vectors.shape}",
)
def test_array_that_postgres_cannot_store_is_rejected(vectors: NDArray[np.float16]) -> None:
    with pytest.raises(InvalidMultiVector):
        encode(vectors, element_oid=OID)


@given(multi_vectors, st.data())
def test_changed_length_or_reserved_byte_is_rejected(vectors: NDArray[np.float16], data: st.DataObject) -> None:
    wire = bytearray(encode(vectors, element_oid=OID))
    stride = 8 + 2 * vectors.shape[1]
    row = data.draw(st.integers(0, len(vectors) - 1))
    # The header except type and lower bound, and everything in a row before its numbers.
    offsets = [*range(8), *range(12, 16), *range(20 + row * stride, 28 + row * stride)]
    wire[data.draw(st.sampled_from(offsets))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidMultiVector):
        decode(bytes(wire))


@given(multi_vectors, st.integers(1, 30))
def test_truncated_or_extended_data_is_rejected(vectors: NDArray[np.float16], count: int) -> None:
    wire = encode(vectors, element_oid=OID)
    for changed in (wire[:-count], wire + bytes(count), wire[: min(count, len(wire) - 1)]):
        with pytest.raises(InvalidMultiVector):
            decode(changed)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_rejected_or_round_trip(data: bytes) -> None:
    try:
        vectors = decode(data)
    except InvalidMultiVector:
        return
    (oid,) = struct.unpack_from(">I", data, 8)
    assert encode(vectors, element_oid=oid)[20:] == data[20:]
