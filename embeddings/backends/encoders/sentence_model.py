"""The part of the Universal Sentence Encoder that sees each piece of a passage, as an ONNX model.

Three branches combine each piece with a few neighbours, twice; their results and the piece itself are normalized, and
summed over the passage. ONNX Runtime multiplies the matrices, in float32, in half the time that NumPy takes.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders.bert import INPUT, OUTPUT, Floats
from embeddings.backends.encoders.onnx_format import Graph

# By the number of neighbouring pieces that a branch combines: how many of them come before the piece itself.
_BRANCHES: Final = {2: 0, 3: 1, 5: 2}
_PIECES_AXIS, _DIM_AXIS = 1, 2
_LAST: Final = (1 << 63) - 1


def build(arrays: Mapping[str, Floats]) -> tuple[bytes, dict[str, NDArray[np.generic]]]:
    """Return the model, from `embedded` (1, n, 512) to `encoded` (1, 1280), and the arrays that belong to it."""
    graph = Graph()
    axis = graph.integers("pieces_axis", _PIECES_AXIS)

    def of_branches(name: str) -> Floats:
        return np.concatenate([arrays[f"{name}{size}"] for size in _BRANCHES], axis=-1)

    def dense(inputs: str, matrix: Floats, bias: Floats, *, name: str) -> str:
        product = graph.add("MatMul", [inputs, graph.weight(f"{name}.matrix", matrix)], f"{name}.product")
        return graph.add("Add", [product, graph.weight(f"{name}.bias", bias)], name)

    def norm(inputs: str, gains: Floats, biases: Floats, *, name: str) -> str:
        names = [inputs, graph.weight(f"{name}.gains", gains), graph.weight(f"{name}.biases", biases)]
        return graph.add("LayerNormalization", names, name, epsilon=float(arrays["eps"]))

    def combine(inputs: str, size: int, step: int) -> str:
        """Add to each piece what follows from it and its neighbours; there are zeros around the passage."""
        name, before = f"branch{size}.step{step}", _BRANCHES[size]
        pads = graph.integers(f"{name}.pads", 0, before, 0, 0, size - 1 - before, 0)
        padded = graph.add("Pad", [inputs, pads], f"{name}.padded")
        shifted = []
        for first in range(size):
            start = graph.integers(f"{name}.start{first}", first)
            stop = graph.integers(f"{name}.stop{first}", first - (size - 1) or _LAST)
            shifted.append(graph.add("Slice", [padded, start, stop, axis], f"{name}.from{first}"))
        neighbours = graph.add("Concat", shifted, f"{name}.neighbours", axis=_DIM_AXIS)
        weights = arrays[f"w{step}_{size}"], arrays[f"b{step}_{size}"]
        combined = graph.add("Relu", [dense(neighbours, *weights, name=f"{name}.combined")], f"{name}.positive")
        return graph.add("Add", [inputs, combined], f"{name}.sum")

    projected = dense(INPUT, of_branches("proj"), of_branches("proj_b"), name="projected")
    normed = norm(projected, of_branches("ln_g"), of_branches("ln_b"), name="normed")
    inputs = [f"branch{size}" for size in _BRANCHES]
    graph.add("Split", [normed], inputs, axis=_DIM_AXIS, num_outputs=len(inputs))
    branches = [combine(combine(one, size, 1), size, 2) for one, size in zip(inputs, _BRANCHES, strict=True)]
    together = graph.add("Concat", [INPUT, *branches], "together", axis=_DIM_AXIS)
    combined = norm(together, arrays["ln_g"], arrays["ln_b"], name="combined")
    graph.add("ReduceSum", [combined, axis], OUTPUT, keepdims=0)
    dims = len(arrays["proj2"]), len(arrays["ln_g"])
    return graph.model(inputs={INPUT: (1, "pieces", dims[0])}, outputs={OUTPUT: (1, dims[1])}), graph.weights
