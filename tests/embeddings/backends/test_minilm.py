"""The sentence model in NumPy."""

import math
from pathlib import Path

import numpy as np
import pytest

from embeddings.backends.minilm import InvalidModelFile, MiniLM, gelu

# Computed for [CLS] of this sentence by the library of the model's authors.
SENTENCE = "The invoice must be paid within thirty days."
REFERENCE = [-0.0729457, 0.4079590, -0.0892119, -0.4551713]


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def test_vectors_equal_those_of_the_reference_implementation(model: MiniLM) -> None:
    ids = model.tokenizer.encode(SENTENCE).ids
    hidden = model.forward(np.array([ids]))[0]
    np.testing.assert_allclose(hidden[0, :4], REFERENCE, atol=1e-5)


def test_windows_of_a_batch_are_independent(model: MiniLM) -> None:
    ids = np.random.default_rng(1).integers(1000, 30000, (3, 20))
    batch = model.forward(ids)
    for number in range(3):
        np.testing.assert_allclose(model.forward(ids[number : number + 1])[0], batch[number], atol=1e-5)


def test_gelu_approximates_the_exact_function() -> None:
    values = np.linspace(-8, 8, 2001, dtype=np.float32)
    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in values.tolist()]
    np.testing.assert_allclose(gelu(values), exact, atol=2e-6)


def test_missing_or_wrong_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFile, match=r"model\.safetensors is missing"):
        MiniLM(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(InvalidModelFile, match="has the wrong content"):
        MiniLM(tmp_path)
