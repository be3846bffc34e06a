"""BERT as an ONNX model: from the sums of the embeddings of a window to the vectors of the last layer.

The matrices are numbers of eight bits, or of seven on a processor whose products of eight overflow, or float32.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders.onnx_format import MICROSOFT, Graph

Floats = NDArray[np.float32]
Precision = Literal["int8", "int7", "float32"]

INPUT: Final = "embedded"
OUTPUT: Final = "encoded"

# The name of an input that is left out: weights have no zero point.
_OMITTED: Final = ""
_LARGEST: Final[dict[Precision, int]] = {"int8": 127, "int7": 63}


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A matrix (in, out) and a bias (out)."""

    matrix: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """The scale and the shift of a layer normalisation."""

    scale: Floats
    shift: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer: attention, and two matrices with a nonlinearity between them."""

    query: Dense
    key: Dense
    value: Dense
    attended: Dense
    attended_norm: Norm
    wide: Dense
    narrow: Dense
    norm: Norm


@dataclass(frozen=True, slots=True, eq=False)
class Bert:
    """The weights after the embedding of the pieces."""

    heads: int
    epsilon: float
    norm: Norm
    # May be read once: all at the same time would take much memory.
    layers: Iterable[Layer]

    @property
    def dim(self) -> int:
        return len(self.norm.scale)


def build(bert: Bert, precision: Precision) -> tuple[bytes, dict[str, NDArray[np.generic]]]:
    """Return the model, from `embedded` (1, n, dim) to `encoded` (1, n, dim), and the arrays that belong to it."""
    graph = Graph()
    scale, shift = _norm(graph, "embedded", bert.norm)
    hidden = graph.add("LayerNormalization", [INPUT, scale, shift], "hidden", epsilon=bert.epsilon)
    for number, layer in enumerate(bert.layers):
        hidden = _add_layer(graph, hidden, layer, bert, name=f"layer{number}", precision=precision)
    graph.add("Identity", [hidden], OUTPUT)
    axes = (1, "pieces", bert.dim)
    return graph.model(inputs={INPUT: axes}, outputs={OUTPUT: axes}), graph.weights


def product_model(matrix: Floats, precision: Precision) -> tuple[bytes, dict[str, NDArray[np.generic]]]:
    """Return a model that multiplies rows (1, n, in) by a matrix (in, out), as every layer does."""
    graph = Graph()
    graph.add("Identity", [_product(graph, INPUT, matrix, name="only", precision=precision)], OUTPUT)
    lengths = [(1, "rows", length) for length in matrix.shape]
    return graph.model(inputs={INPUT: lengths[0]}, outputs={OUTPUT: lengths[1]}), graph.weights


def _add_layer(graph: Graph, hidden: str, layer: Layer, bert: Bert, *, name: str, precision: Precision) -> str:
    parts = {"query": layer.query, "key": layer.key, "value": layer.value}
    each = _dense_each(graph, hidden, parts, name=name, precision=precision)
    context = graph.add("MultiHeadAttention", each, f"{name}.context", domain=MICROSOFT, num_heads=bert.heads)

    def add_norm(inputs: str, dense: Dense, norm: Norm, skipped: str, *, part: str) -> str:
        product = _dense(graph, inputs, dense, name=f"{name}.{part}", precision=precision)
        # In two operations, because the one that ONNX Runtime has for both takes longer.
        total = graph.add("Add", [product, skipped], f"{name}.{part}.total")
        names = [total, *_norm(graph, f"{name}.{part}", norm)]
        return graph.add("LayerNormalization", names, f"{name}.{part}.normed", epsilon=bert.epsilon)

    middle = add_norm(context, layer.attended, layer.attended_norm, hidden, part="attended")
    wide = _dense(graph, middle, layer.wide, name=f"{name}.wide", precision=precision)
    wide = graph.add("Gelu", [wide], f"{name}.gelu", domain=MICROSOFT)
    return add_norm(wide, layer.narrow, layer.norm, middle, part="narrow")


def _norm(graph: Graph, name: str, norm: Norm) -> tuple[str, str]:
    return graph.weight(f"{name}.norm.scale", norm.scale), graph.weight(f"{name}.norm.shift", norm.shift)


def _dense_each(graph: Graph, inputs: str, parts: Mapping[str, Dense], *, name: str, precision: Precision) -> list[str]:
    """Multiply the same inputs by several matrices; they are rounded once for all."""
    if precision == "float32":
        return [_dense(graph, inputs, part, name=f"{name}.{key}", precision=precision) for key, part in parts.items()]
    whole, scale, zero = (f"{name}.{part}" for part in ("whole", "whole.scale", "whole.zero"))
    graph.add("DynamicQuantizeLinear", [inputs], [whole, scale, zero])
    products = []
    for key, part in parts.items():
        rounded, factors = quantize(part.matrix, precision)
        names = [
            graph.weight(f"{name}.{key}.{kind}", values) for kind, values in (("matrix", rounded), ("scale", factors))
        ]
        names = [whole, names[0], scale, names[1], zero, _OMITTED, graph.weight(f"{name}.{key}.bias", part.bias)]
        products.append(graph.add("MatMulIntegerToFloat", names, f"{name}.{key}", domain=MICROSOFT))
    return products


def _dense(graph: Graph, inputs: str, dense: Dense, *, name: str, precision: Precision) -> str:
    bias = graph.weight(f"{name}.bias", dense.bias)
    if precision != "float32":
        return _product(graph, inputs, dense.matrix, name=name, precision=precision, bias=bias)
    product = _product(graph, inputs, dense.matrix, name=name, precision=precision)
    return graph.add("Add", [product, bias], f"{name}.sum")


def _product(graph: Graph, inputs: str, matrix: Floats, *, name: str, precision: Precision, bias: str = "") -> str:
    if precision == "float32":
        return graph.add("MatMul", [inputs, graph.weight(f"{name}.matrix", matrix)], f"{name}.product")
    rounded, scale = quantize(matrix, precision)
    names = [inputs, graph.weight(f"{name}.matrix", rounded), graph.weight(f"{name}.scale", scale)]
    names += [_OMITTED, bias] if bias else []
    return graph.add("DynamicQuantizeMatMul", names, f"{name}.product", domain=MICROSOFT)


def quantize(matrix: Floats, precision: Precision) -> tuple[NDArray[np.int8], Floats]:
    """Return whole numbers (in, out), and the factor (out) that turns those of each column back."""
    scale = np.maximum(np.abs(matrix).max(axis=0), np.float32(1e-12)) / np.float32(_LARGEST[precision])
    return np.rint(matrix / scale).astype(np.int8), scale
