"""The changed recogniser computes almost what the published one does."""

from pathlib import Path

import numpy as np
import pytest
import rapidocr

from embeddings.backends.minilm import InvalidModelFile
from embeddings.backends.onnx_model import open_session
from embeddings.backends.reading.recogniser_model import CutModel, cut

MODELS = Path(rapidocr.__file__).parent / "models"
COMMON = np.arange(100)


@pytest.fixture(scope="module")
def changed() -> CutModel:
    return cut((MODELS / "PP-OCRv6_rec_small.onnx").read_bytes(), common=COMMON)


def test_features_and_head_give_the_published_probabilities(changed: CutModel) -> None:
    lines = np.random.default_rng(1).normal(scale=0.5, size=(2, 3, 48, 160)).astype(np.float32)
    published = open_session(MODELS / "PP-OCRv6_rec_small.onnx").run(None, {"x": lines})[0]
    features, _ = open_session(changed.model).run(None, {"x": lines})
    logits = features @ changed.weights + changed.bias
    probabilities = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    assert probabilities.shape == published.shape
    # Products of small integers are not exact.
    assert float(np.abs(probabilities - published).mean()) < 1e-4
    assert float((probabilities.argmax(axis=-1) == published.argmax(axis=-1)).mean()) > 0.9


def test_small_head_is_a_part_of_the_published_one(changed: CutModel) -> None:
    lines = np.zeros((1, 3, 24, 160), dtype=np.float32)
    features, logits = open_session(changed.model).run(None, {"x": lines})
    np.testing.assert_allclose(logits, (features @ changed.weights + changed.bias)[..., COMMON], atol=1e-3)


@pytest.mark.parametrize("height", [16, 24, 32, 40, 48])
def test_lines_may_have_any_height(changed: CutModel, height: int) -> None:
    lines = np.zeros((1, 3, height, 160), dtype=np.float32)
    features, _ = open_session(changed.model).run(None, {"x": lines})
    assert features.shape == (1, 20, 120)


def test_another_model_is_refused() -> None:
    with pytest.raises(InvalidModelFile, match="another structure"):
        cut((MODELS / "PP-OCRv6_det_small.onnx").read_bytes(), common=COMMON)
