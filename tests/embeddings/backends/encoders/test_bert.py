"""BERT as an ONNX model."""

import numpy as np
import pytest

from embeddings.backends.encoders.bert import Floats, Precision, quantize
from embeddings.backends.encoders.runtime import OnnxBert
from tests.embeddings.backends.encoders import reference


@pytest.fixture(scope="module")
def embedded() -> Floats:
    return np.random.default_rng(2).standard_normal((9, 32)).astype(np.float32)


def test_model_in_float32_equals_the_reference(embedded: Floats) -> None:
    bert = reference.random_bert()
    encoded = OnnxBert(bert, precision="float32")(embedded)
    np.testing.assert_allclose(encoded, reference.encode(bert, embedded), atol=1e-4)


@pytest.mark.parametrize(("precision", "least"), [("int8", 0.999), ("int7", 0.999)])
def test_rounded_model_is_close_to_the_reference(embedded: Floats, precision: Precision, least: float) -> None:
    bert = reference.random_bert()
    encoded = OnnxBert(bert, precision=precision)(embedded)
    assert reference.cosines(encoded, reference.encode(bert, embedded)).min() > least


@pytest.mark.parametrize(("precision", "largest"), [("int8", 127), ("int7", 63)])
def test_weights_are_rounded_by_column(precision: Precision, largest: int) -> None:
    matrix = np.random.default_rng(3).standard_normal((20, 5)).astype(np.float32) * np.array([1, 10, 0.1, 1e-3, 0])
    rounded, scale = quantize(matrix.astype(np.float32), precision)
    assert np.abs(rounded).max(axis=0).tolist() == [largest] * 4 + [0]
    assert (np.abs(rounded * scale - matrix) <= scale / 2 + 1e-9).all()
