"""The precision that a processor computes correctly."""

import numpy as np
import pytest

from embeddings.backends.encoders import runtime
from embeddings.backends.encoders.bert import Floats, Precision, quantize
from embeddings.backends.encoders.runtime import choose_precision


def overflowing(precision: Precision) -> Floats:
    """Multiply the largest inputs by the largest weights as a processor does that adds pairs in sixteen bits."""
    weights, scale = quantize(np.ones((runtime.LENGTH, runtime.LENGTH), dtype=np.float32), precision)
    products = 255 * weights.astype(np.int64)
    pairs = np.clip(products[0::2] + products[1::2], -(2**15), 2**15 - 1)
    product: Floats = (pairs.sum(axis=0, keepdims=True) * scale / 255).astype(np.float32)
    return product


def correct(_: Precision) -> Floats:
    return np.full((1, runtime.LENGTH), runtime.LENGTH, dtype=np.float32)


def wrong(_: Precision) -> Floats:
    return np.full((1, runtime.LENGTH), np.nan, dtype=np.float32)


@pytest.mark.parametrize(
    ("multiply", "chosen"),
    [(correct, "int8"), (overflowing, "int7"), (wrong, "float32")],
    ids=["correct", "overflowing", "wrong"],
)
def test_first_precision_that_is_computed_correctly_is_chosen(multiply: runtime.Multiply, chosen: str) -> None:
    assert choose_precision(multiply) == chosen


def test_chosen_precision_is_correct_on_this_processor() -> None:
    precision = choose_precision()
    if precision != "float32":
        np.testing.assert_allclose(runtime.largest_product(precision), runtime.LENGTH, rtol=0.02)
