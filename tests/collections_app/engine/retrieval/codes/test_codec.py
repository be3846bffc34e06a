"""Codes of vectors: their error, their layout, and bytes that nobody wrote."""

import copy

import numpy as np
import pytest
from numpy.typing import NDArray

from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.codes.codec import InvalidCodes
from collections_app.engine.retrieval.codes.rotation import rotate
from collections_app.engine.retrieval.multivector import InvalidMultiVector


def random_page(count: int, dim: int = 128) -> NDArray[np.float16]:
    return np.random.default_rng(count).normal(size=(count, dim)).astype(np.float16)


@pytest.mark.parametrize(("count", "dim"), [(1, 128), (15, 96), (16, 20), (17, 130), (1030, 128)])
def test_decoded_vectors_are_close_to_those_encoded(count: int, dim: int) -> None:
    page = random_page(count, dim)
    decoded = codec.decode(codec.encode(page))
    assert decoded.shape == page.shape
    assert decoded.dtype == np.float16
    error = np.linalg.norm(decoded.astype(np.float32) - page) / np.linalg.norm(page.astype(np.float32))
    assert error < 0.12


def test_page_takes_half_a_byte_for_each_number() -> None:
    assert codec.encode(random_page(1030)).nbytes == 68_648


def test_vectors_are_encoded_alone_as_among_others() -> None:
    page = random_page(40)
    alone = codec.decode(codec.encode(page[7:8]))
    assert np.array_equal(codec.decode(codec.encode(page))[7], alone[0])


def test_decoded_vectors_have_the_same_codes_again() -> None:
    encoded = codec.encode(random_page(100))
    assert np.array_equal(codec.encode(codec.decode(encoded)).data, encoded.data)


def test_layout_is_the_documented_one() -> None:
    page = random_page(20, 24)
    columns = np.array(page.T, dtype=np.float32, order="C")
    rotate(columns)
    encoded = codec.encode(page)
    assert encoded.data[:8].tolist() == [1, 0, 24, 0, 20, 0, 0, 0]
    for vector, dimension in [(0, 0), (3, 5), (15, 23), (16, 8), (19, 12)]:
        row = (vector // 16 * 3 + dimension // 8) * 64
        byte = encoded.data[8 + 2 * 32 + row + vector % 16 * 4 + dimension % 4]
        code = byte >> 4 if dimension % 8 >= 4 else byte & 15
        step = float(encoded.data[8 + 2 * vector :][:2].view(np.float16)[0])
        assert (code - 7.5) * step == pytest.approx(columns[dimension, vector], abs=1.5 * step)


def test_zeros_and_the_largest_numbers_are_encoded() -> None:
    page = np.zeros((2, 16), dtype=np.float16)
    page[1] = np.finfo(np.float16).max
    decoded = codec.decode(codec.encode(page))
    assert not decoded[0].any()
    np.testing.assert_allclose(decoded[1].astype(np.float32), page[1].astype(np.float32), rtol=0.6)


@pytest.mark.parametrize(
    "page",
    [
        np.full((1, 8), np.nan, dtype=np.float16),
        np.full((1, 8), np.inf, dtype=np.float16),
        np.empty((0, 8), dtype=np.float16),
        np.empty((1, 0), dtype=np.float16),
        np.ones((1, 8), dtype=np.float32),
        np.ones(8, dtype=np.float16),
    ],
)
def test_what_is_no_page_is_rejected(page: NDArray[np.float16]) -> None:
    with pytest.raises(InvalidMultiVector):
        codec.encode(page)


def test_malformed_bytes_are_rejected() -> None:
    good = codec.encode(random_page(20, 12)).data.tobytes()
    bad_step = good[:8] + b"\x00\x7c" + good[10:]
    for bad in (b"", good[:7], b"\x02" + good[1:], good[:2] + b"\0\0" + good[4:], good[:4] + bytes(4) + good[8:]):
        with pytest.raises(InvalidCodes):
            codec.load(bad)
    for bad in (good[:-1], good + b"\0", good[:4] + b"\xff" * 4 + good[8:], bad_step):
        with pytest.raises(InvalidCodes):
            codec.load(bad)
    with pytest.raises(InvalidCodes, match="not of 13"):
        codec.load(good, dim=13)
    assert len(codec.load(good, dim=12)) == 20


def test_copy_is_at_its_own_address() -> None:
    page = codec.encode(random_page(3))
    copied = copy.deepcopy(page)
    assert copied.address != page.address
    assert np.array_equal(copied.data, page.data)
