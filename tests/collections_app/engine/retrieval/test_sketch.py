"""The small forms of a page come back as what they were, and what is none of them is refused."""

import copy

import numpy as np
import pytest

from collections_app.engine.retrieval import sketch
from collections_app.engine.retrieval.pooling import COARSE, FINE, pool
from collections_app.engine.retrieval.sketch import NotASketch, small
from tests.collections_app.engine.retrieval.test_pooling import heap


@pytest.mark.parametrize(("count", "dim"), [(1, 8), (3, 128), (129, 9), (300, 128), (40, 200)])
def test_sizes_are_told_by_the_numbers_of_vectors(count: int, dim: int) -> None:
    made = small(heap(1, count=count, dim=dim))
    fine, coarse = min(count, FINE), min(count, COARSE)
    assert len(made.pooled) == 4 + fine * (1 + 3 * -(-dim // 4))
    assert len(made.sketch) == 3 + (fine + coarse) * -(-dim // 8)
    sketch.check(made.sketch, dim=dim)


def test_the_usual_page_takes_fifteen_kilobytes() -> None:
    made = small(heap(1, count=1030, dim=128))
    assert (len(made.sketch), len(made.pooled)) == (2563, 12420)


@pytest.mark.parametrize("dim", [128, 7])
def test_the_pooled_vectors_come_back_within_half_a_step_of_theirs(dim: int) -> None:
    page = heap(2, count=400, dim=dim)
    page[7] *= 0.25
    kept = sketch.pooled_page(small(page).pooled, dim=dim)
    fine = pool(page).fine
    largest = np.abs(fine).max(axis=1)
    # The steps of vectors are multiples of one.
    steps = largest / 31 + largest.max() / 124
    assert (np.abs(kept.numbers * kept.step - fine).max(axis=1) <= steps / 2 * 1.001).all()


def test_a_bit_is_the_sign_of_a_number() -> None:
    page = np.array([[0.5, -0.5, 0.2, 0.0]], dtype=np.float16)
    assert small(page).sketch == bytes([1, 1, 1, 0b0101, 0b0101])


def test_a_page_of_zeros_has_small_forms_too() -> None:
    made = small(np.zeros((3, 8), dtype=np.float16))
    assert (sketch.pooled_page(made.pooled, dim=8).numbers == 0).all()


@pytest.mark.parametrize("damage", [b"", b"\1\1", b"\2\1\1\0\0", b"\1\1\1\0", b"\1\0\0", b"\1\1\2\0\0\0"])
def test_what_is_no_sketch_is_refused(damage: bytes) -> None:
    with pytest.raises(NotASketch):
        sketch.check(damage, dim=8)


@pytest.mark.parametrize("damage", [b"", b"\0\0\0\0", b"\0\0\0\0\1\2\3", bytes(11), b"\0" * 4 + b"\5" * 7])
def test_what_are_no_pooled_vectors_is_refused(damage: bytes) -> None:
    with pytest.raises(NotASketch):
        sketch.pooled_page(damage, dim=8)


def test_pooled_vectors_are_in_one_piece_where_they_say_that_they_are() -> None:
    page = sketch.PooledPage(0.5, np.arange(24, dtype=np.int8).reshape(4, 6)[::2, 1:4])
    for one in (page, copy.copy(page), copy.deepcopy(page)):
        assert one.step == 0.5
        assert one.numbers.tolist() == [[1, 2, 3], [13, 14, 15]]
        assert one.numbers.flags.c_contiguous
        assert one.address == one.numbers.ctypes.data
