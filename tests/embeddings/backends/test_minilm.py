"""The sentence model in NumPy."""

import math
from pathlib import Path

import numpy as np
import pytest

from embeddings.backends import minilm, projection
from embeddings.backends.minilm import InvalidModelFile, MiniLM, gelu

# What the library of the model's authors computes for [CLS] of this sentence.
SENTENCE = "The invoice must be paid within thirty days."
REFERENCE = [-0.0729457, 0.4079590, -0.0892119, -0.4551713]


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def test_the_numbers_are_those_of_the_models_authors(model: MiniLM) -> None:
    ids = model.tokenizer.encode(SENTENCE).ids
    hidden = model.forward(np.array([ids]))[0]
    np.testing.assert_allclose(hidden[0, :4], REFERENCE, atol=1e-5)


def test_windows_do_not_see_each_other(model: MiniLM) -> None:
    ids = np.random.default_rng(1).integers(1000, 30000, (3, 20))
    together = model.forward(ids)
    for number in range(3):
        np.testing.assert_allclose(model.forward(ids[number : number + 1])[0], together[number], atol=1e-5)


def test_gelu_is_near_the_true_function() -> None:
    values = np.linspace(-8, 8, 2001, dtype=np.float32)
    true = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in values.tolist()]
    np.testing.assert_allclose(gelu(values), true, atol=2e-6)


def test_a_file_that_is_not_the_one_it_should_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFile, match=r"model\.safetensors is missing"):
        MiniLM(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(InvalidModelFile, match="has the wrong content"):
        MiniLM(tmp_path)


def test_the_projection_is_the_one_its_script_makes(model: MiniLM) -> None:
    axes, common = projection.load()
    assert axes.shape == (minilm.DIM, projection.SEMANTIC_DIMS)
    np.testing.assert_allclose(axes.T @ axes, np.eye(projection.SEMANTIC_DIMS), atol=2e-3)
    vectors = projection.vocabulary_vectors(model)
    np.testing.assert_allclose(vectors.mean(axis=0) @ axes, common, atol=2e-3)
    made = projection.principal_axes(vectors)
    # Which way an axis points and how near axes turn is the library's choice; the space they span is not.
    np.testing.assert_allclose(np.linalg.svd(axes.T @ made, compute_uv=False), 1, atol=2e-3)
