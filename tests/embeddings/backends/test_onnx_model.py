"""Setting tiny weights to zero does not change the output of a model."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import rapidocr

from embeddings.backends.onnx_model import open_session, zero_tiny_weights

MODEL = Path(rapidocr.__file__).parent / "models" / "PP-OCRv6_det_small.onnx"


def test_output_does_not_change() -> None:
    page = np.random.default_rng(1).normal(size=(1, 3, 64, 96)).astype(np.float32)
    published = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    name = published.get_inputs()[0].name
    np.testing.assert_allclose(
        open_session(MODEL).run(None, {name: page})[0], published.run(None, {name: page})[0], atol=1e-5
    )


def test_only_tiny_weights_are_changed() -> None:
    before = MODEL.read_bytes()
    after = zero_tiny_weights(before)
    changed = np.frombuffer(before, np.uint8) != np.frombuffer(after, np.uint8)
    assert 0 < changed.mean() < 0.2
    assert not np.frombuffer(after, np.uint8)[changed].any()
    assert zero_tiny_weights(bytes(after)) == after


def test_only_float32_tensors_are_changed() -> None:
    half = b"\x10\x0a\x4a\x04" + (1).to_bytes(4, "little")
    single = b"\x10\x01\x4a\x04" + (1).to_bytes(4, "little")
    model = b"\x3a\x14" + b"".join(b"\x2a\x08" + tensor for tensor in (half, single))
    assert zero_tiny_weights(model) == model[:-4] + bytes(4)


def test_malformed_model_is_refused() -> None:
    with pytest.raises(ValueError, match="kind 7"):
        zero_tiny_weights(b"\x3f")
