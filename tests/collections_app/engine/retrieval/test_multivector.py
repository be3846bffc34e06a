"""The binary form of a multi-vector: nothing changes on the way, and nothing else is taken for one."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from collections_app.engine.retrieval.multivector import MOST_DIMENSIONS, NotAMultiVector, decode, encode

OID = 3_000_000_123

multi_vectors = arrays.arrays(
    np.float16,
    st.tuples(st.integers(1, 40), st.integers(1, 130)),
    elements=st.floats(-1, 1, width=16),
)


def plainly(vectors: NDArray[np.float16], oid: int) -> bytes:
    """The same bytes, written the slow and obvious way."""
    told = struct.pack(">iiIii", 1, 0, oid, len(vectors), 1)
    for vector in vectors:
        body = struct.pack(f">hh{len(vector)}e", len(vector), 0, *(float(number) for number in vector))
        told += struct.pack(">i", len(body)) + body
    return told


@given(multi_vectors)
def test_what_is_encoded_is_what_the_obvious_way_writes_and_comes_back_the_same(vectors: NDArray[np.float16]) -> None:
    wire = encode(vectors, element_oid=OID)
    assert wire == plainly(vectors, OID)
    back = decode(wire)
    assert back.dtype == np.float16
    assert back.tobytes() == vectors.tobytes()


def test_a_slice_that_lies_apart_in_memory_is_encoded_as_its_copy() -> None:
    wide = np.arange(60, dtype=np.float16).reshape(6, 10)
    assert encode(wide[::2, ::3], element_oid=OID) == encode(wide[::2, ::3].copy(), element_oid=OID)


def test_what_is_decoded_may_be_changed() -> None:
    decode(encode(np.ones((2, 3), dtype=np.float16), element_oid=OID))[0, 0] = 5


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((0, 4), dtype=np.float16),
        np.zeros((4, 0), dtype=np.float16),
        np.zeros(4, dtype=np.float16),
        np.zeros((2, 2, 2), dtype=np.float16),
        np.zeros((1, MOST_DIMENSIONS + 1), dtype=np.float16),
        np.zeros((2, 2), dtype=np.float32),
    ],
    ids=lambda vectors: f"{vectors.dtype}{vectors.shape}",
)
def test_what_postgres_could_not_take_is_not_encoded(vectors: NDArray[np.float16]) -> None:
    with pytest.raises(NotAMultiVector):
        encode(vectors, element_oid=OID)


@given(multi_vectors, st.data())
def test_no_changed_length_or_reserved_byte_passes(vectors: NDArray[np.float16], data: st.DataObject) -> None:
    wire = bytearray(encode(vectors, element_oid=OID))
    stride = 8 + 2 * vectors.shape[1]
    row = data.draw(st.integers(0, len(vectors) - 1))
    # All but the type and the lower bound of the header; of a row, all that comes before its numbers.
    places = [*range(8), *range(12, 16), *range(20 + row * stride, 28 + row * stride)]
    wire[data.draw(st.sampled_from(places))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NotAMultiVector):
        decode(bytes(wire))


@given(multi_vectors, st.integers(1, 30))
def test_neither_less_nor_more_bytes_pass(vectors: NDArray[np.float16], count: int) -> None:
    wire = encode(vectors, element_oid=OID)
    for changed in (wire[:-count], wire + bytes(count), wire[:count]):
        with pytest.raises(NotAMultiVector):
            decode(changed)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_are_what_they_encode_to(data: bytes) -> None:
    try:
        vectors = decode(data)
    except NotAMultiVector:
        return
    (oid,) = struct.unpack_from(">I", data, 8)
    assert encode(vectors, element_oid=oid)[20:] == data[20:]
