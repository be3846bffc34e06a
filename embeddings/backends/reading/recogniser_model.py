"""The published recogniser, changed to be faster.

- Lines may have any height up to 48 pixels. The last pooling averages over three rows, of which lower lines have one
  or two; the rows that it is given instead do not count.
- Most of its work, the convolutions of one pixel, is done with integers of eight bits. Weights use seven of them, so
  that the sum of two products fits into sixteen bits, as processors without VNNI need.
- Its head, which assigns a probability to each of 18,710 characters in every column and takes a sixth of the time, is
  reduced to common characters. The recogniser tries the others only where none of these fits.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.minilm import InvalidModelFile
from embeddings.backends.reading import onnx_graph
from embeddings.backends.reading.onnx_graph import Floats, Graph, Node

_HEAD_NODES: Final = ["MatMul", "Add", "Identity", "Softmax"]
_LARGEST = 63
# Convolutions that change the number of channels by this factor work on the mean of all pixels, and take no time.
_SQUEEZE = 4
_LEAST_CONVOLUTIONS = 20


class CutModel(NamedTuple):
    """The model, which returns features (n, columns, 120) and logits of the common characters, and the whole head."""

    model: bytes
    weights: Floats
    bias: Floats


def cut(model: bytes, *, common: NDArray[np.intp]) -> CutModel:
    """Return the changed model with a head for the characters of these numbers, and the published head."""
    graph = onnx_graph.parse(model)
    head = graph.nodes[-len(_HEAD_NODES) :]
    if [node.kind for node in head] != _HEAD_NODES or head[0].inputs[1] not in graph.weights:
        raise InvalidModelFile("The recogniser of this version of rapidocr has another structure.")
    names = head[0].inputs[1], head[1].inputs[1]
    weights, bias = graph.weights[names[0]], graph.weights[names[1]]
    graph.weights |= {names[0]: np.ascontiguousarray(weights[:, common]), names[1]: bias[common]}
    graph.nodes = [_any_rows(node) for node in graph.nodes[:-2]]
    _quantise(graph)
    graph.inputs = [onnx_graph.image_input("x")]
    graph.outputs = [onnx_graph.float_output(name) for name in (head[0].inputs[0], head[1].outputs[0])]
    return CutModel(graph.to_bytes(), weights, bias)


def _any_rows(node: Node) -> Node:
    if node.kind != "AveragePool":
        return node
    return node._replace(attributes=node.attributes | onnx_graph.integers("pads", [0, 0, 2, 0]))


def _quantise(graph: Graph) -> None:
    """Replace convolutions of one pixel, and the addition of their bias, by products of matrices of small integers."""
    source = {node.outputs[0]: node.inputs[0] for node in graph.nodes if node.kind == "Identity"}
    of_output = {node.outputs[0]: node for node in graph.nodes if _is_large_product(node, graph)}
    biases: dict[str, str] = {}
    nodes = []
    for node in graph.nodes:
        name = node.inputs[0] if node.kind == "Add" else ""
        while name in source:
            name = source[name]
        if name in of_output and node.inputs[1] in graph.weights:
            biases[name] = node.inputs[1]
            nodes.append(Node("Identity", node.inputs[:1], node.outputs, {}))
        else:
            nodes.append(node)
    graph.nodes = [new for node in nodes for new in _product(node, graph, biases)]
    graph.rest_of_model += onnx_graph.operator_set("com.microsoft", 1)
    if len(biases) < _LEAST_CONVOLUTIONS:
        raise InvalidModelFile("The recogniser of this version of rapidocr has other convolutions.")


def _is_large_product(node: Node, graph: Graph) -> bool:
    if node.kind != "Conv" or len(node.inputs) != 2:
        return False
    out, into, *kernel = graph.weights[node.inputs[1]].shape
    return kernel == [1, 1] and max(out, into) < _SQUEEZE * min(out, into)


def _product(node: Node, graph: Graph, biases: dict[str, str]) -> list[Node]:
    """Return the nodes that replace a convolution whose bias is known, or the node itself."""
    output = node.outputs[0]
    if output not in biases or node.kind != "Conv":
        return [node]
    weights = graph.weights.pop(node.inputs[1])[:, :, 0, 0]
    scale = np.abs(weights).max(axis=1) / _LARGEST
    names = [f"{output} {part}" for part in ("weights", "scale", "bias")]
    integers: NDArray[np.int8] = np.round(weights / scale[:, None]).astype(np.int8)
    values = (np.ascontiguousarray(integers.T), scale, graph.weights.pop(biases[output]).reshape(-1))
    graph.weights |= dict(zip(names, values, strict=True))
    by_pixel, products = f"{output} pixels", f"{output} products"
    return [
        Node("Transpose", node.inputs[:1], (by_pixel,), onnx_graph.integers("perm", [0, 2, 3, 1])),
        Node("DynamicQuantizeMatMul", (by_pixel, *names[:2], "", names[2]), (products,), {}, "com.microsoft"),
        Node("Transpose", (products,), (output,), onnx_graph.integers("perm", [0, 3, 1, 2])),
    ]
