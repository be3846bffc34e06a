"""The compact forms of a page round-trip, and malformed ones are rejected."""

import copy

import numpy as np
import pytest

from collections_app.engine.retrieval import sketch
from collections_app.engine.retrieval.pooling import COARSE, FINE, pool
from collections_app.engine.retrieval.sketch import InvalidSketch, compact_forms
from tests.collections_app.engine.retrieval.test_pooling import clustered_page


@pytest.mark.parametrize(("count", "dim"), [(1, 8), (3, 128), (129, 9), (300, 128), (40, 200)])
def test_sizes_follow_from_the_numbers_of_vectors(count: int, dim: int) -> None:
    forms = compact_forms(clustered_page(1, count=count, dim=dim))
    fine, coarse = min(count, FINE), min(count, COARSE)
    assert len(forms.pooled) == 4 + fine * (1 + 3 * -(-dim // 4))
    assert len(forms.sketch) == 3 + (fine + coarse) * -(-dim // 8)
    sketch.check(forms.sketch, dim=dim)


def test_typical_page_takes_fifteen_kilobytes() -> None:
    forms = compact_forms(clustered_page(1, count=1030, dim=128))
    assert (len(forms.sketch), len(forms.pooled)) == (2563, 12420)


@pytest.mark.parametrize("dim", [128, 7])
def test_pooled_vectors_round_trip_within_half_a_step(dim: int) -> None:
    page = clustered_page(2, count=400, dim=dim)
    page[7] *= 0.25
    decoded = sketch.decode_pooled(compact_forms(page).pooled, dim=dim)
    fine = pool(page).fine
    largest = np.abs(fine).max(axis=1)
    # The steps of vectors are multiples of copied.
    steps = largest / 31 + largest.max() / 124
    assert (np.abs(decoded.numbers * decoded.step - fine).max(axis=1) <= steps / 2 * 1.001).all()


def test_bit_is_the_sign_of_a_number() -> None:
    page = np.array([[0.5, -0.5, 0.2, 0.0]], dtype=np.float16)
    assert compact_forms(page).sketch == bytes([1, 1, 1, 0b0101, 0b0101])


def test_page_of_zeros_has_compact_forms() -> None:
    forms = compact_forms(np.zeros((3, 8), dtype=np.float16))
    assert (sketch.decode_pooled(forms.pooled, dim=8).numbers == 0).all()


@pytest.mark.parametrize("damage", [b"", b"\1\1", b"\2\1\1\0\0", b"\1\1\1\0", b"\1\0\0", b"\1\1\2\0\0\0"])
def test_malformed_sketch_is_rejected(damage: bytes) -> None:
    with pytest.raises(InvalidSketch):
        sketch.check(damage, dim=8)


@pytest.mark.parametrize("damage", [b"", b"\0\0\0\0", b"\0\0\0\0\1\2\3", bytes(11), b"\0" * 4 + b"\5" * 7])
def test_malformed_pooled_form_is_rejected(damage: bytes) -> None:
    with pytest.raises(InvalidSketch):
        sketch.decode_pooled(damage, dim=8)


def test_pooled_page_is_contiguous_at_its_address_and_so_are_copies() -> None:
    page = sketch.PooledPage(0.5, np.arange(24, dtype=np.int8).reshape(4, 6)[::2, 1:4])
    for copied in (page, copy.copy(page), copy.deepcopy(page)):
        assert copied.step == 0.5
        assert copied.numbers.tolist() == [[1, 2, 3], [13, 14, 15]]
        assert copied.numbers.flags.c_contiguous
        assert copied.address == copied.numbers.ctypes.data
