"""A model that is parsed and written again computes the same."""

from pathlib import Path

import numpy as np
import onnxruntime
import rapidocr

from embeddings.backends.reading import onnx_graph

MODEL = Path(rapidocr.__file__).parent / "models" / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"


def run(model: bytes, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {session.get_inputs()[0].name: images})[0]
    return result


def test_written_model_computes_the_same() -> None:
    model = MODEL.read_bytes()
    images = np.random.default_rng(1).normal(size=(2, 3, 48, 192)).astype(np.float32)
    written = onnx_graph.parse(model).to_bytes()
    np.testing.assert_array_equal(run(written, images), run(model, images))


def test_weights_are_arrays_of_their_shape() -> None:
    weights = onnx_graph.parse((MODEL.parent / "PP-OCRv6_rec_small.onnx").read_bytes()).weights
    assert len(weights) > 20
    assert max(array.ndim for array in weights.values()) == 4


def test_integers_are_written_as_the_format_has_them() -> None:
    assert (
        onnx_graph.integers("pads", [0, 300])["pads"]
        == b"\x0a\x04pads" + b"\x40\x00" + b"\x40\xac\x02" + b"\xa0\x01\x07"
    )
