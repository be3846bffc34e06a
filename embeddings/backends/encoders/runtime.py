"""Runs models in ONNX Runtime, a BERT with the precision that the processor computes correctly.

Processors without instructions for products of eight-bit numbers (x86 before 2019, and many virtual machines) add two
products in sixteen bits, which overflow when both weights and inputs are large. Their weights get seven bits.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from embeddings.backends.encoders.bert import INPUT, OUTPUT, Bert, Floats, Precision, build, product_model

log = logging.getLogger(__name__)

_PRECISIONS: Final[tuple[Precision, ...]] = ("int8", "int7")
# Rounding is far below, and an overflow far above.
_TOLERANCE: Final = 0.02
LENGTH: Final = 64

Multiply = Callable[[Precision], Floats]


class OnnxModel:
    """A model that many threads may call; each call uses one."""

    def __init__(self, model: bytes, weights: dict[str, NDArray[Any]]) -> None:
        # ONNX Runtime uses the memory of the arrays, and does not keep them.
        self._weights = weights
        self._session = _open(model, weights)

    def __call__(self, embedded: Floats) -> Floats:
        """Return what the model makes of the embeddings of pieces (n, dim)."""
        encoded: Floats = self._session.run([OUTPUT], {INPUT: embedded[None]})[0][0]
        return encoded


class OnnxBert(OnnxModel):
    """A BERT: from the embeddings of the pieces of a window (n, dim) to the last layer's vectors (n, dim)."""

    def __init__(self, bert: Bert, *, precision: Precision | None = None) -> None:
        super().__init__(*build(bert, precision or choose_precision()))


def choose_precision(multiply: Multiply | None = None) -> Precision:
    """Return the first precision whose largest products do not overflow on this processor."""
    for precision in _PRECISIONS:
        if np.abs((multiply or largest_product)(precision) - LENGTH).max() < _TOLERANCE * LENGTH:
            return precision
        log.info("This processor does not compute products of %s numbers correctly.", precision)
    return "float32"


def largest_product(precision: Precision) -> Floats:
    """Multiply rows by columns of ones, as the largest numbers of this precision; each product should be LENGTH."""
    model, weights = product_model(np.ones((LENGTH, LENGTH), dtype=np.float32), precision)
    session = _open(model, weights)
    # The numbers of rows are such that each kind of kernel is reached.
    rows = [session.run([OUTPUT], {INPUT: np.ones((1, n, LENGTH), dtype=np.float32)})[0][0] for n in (1, 7, 64)]
    return np.concatenate(rows)


def _open(model: bytes, weights: dict[str, NDArray[Any]]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # More would combine operations that are faster apart; see `bert`.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    arrays = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
    options.add_external_initializers(list(weights), arrays)
    return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
