"""Models written by hand, as ONNX Runtime reads them."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from embeddings.backends.encoders.onnx_format import MICROSOFT, Graph


def run(graph: Graph, rows: NDArray[Any], *, outputs: dict[str, tuple[int | str, ...]]) -> list[NDArray[Any]]:
    options = onnxruntime.SessionOptions()
    arrays = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in graph.weights.values()]
    options.add_external_initializers(list(graph.weights), arrays)
    model = graph.model(inputs={"rows": ("n", rows.shape[1])}, outputs=outputs)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(list(outputs), {"rows": rows})  # type: ignore[no-any-return]


def test_operations_attributes_and_weights_arrive() -> None:
    graph = Graph()
    # A long axis needs several groups of seven bits.
    matrix = graph.weight("matrix", np.ones((300, 2), dtype=np.float32).T)
    graph.add("Gemm", ["rows", matrix], "product", alpha=0.5, transB=0)
    graph.add("Split", ["product"], ["left", "right"], axis=1, num_outputs=2)
    rows = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
    left, right = run(graph, rows, outputs={"left": ("n", 150), "right": ("n", 150)})
    assert left.shape == right.shape == (3, 150)
    assert left[:, 0].tolist() == right[:, -1].tolist() == [1.5, 3.5, 5.5]


def test_integers_are_part_of_the_model() -> None:
    graph = Graph()
    bounds = [graph.integers("start", -2), graph.integers("stop", (1 << 63) - 1), graph.integers("axis", 0)]
    graph.add("Slice", ["rows", *bounds], "last")
    rows = np.array([[1], [2], [3]], dtype=np.float32)
    (last,) = run(graph, rows, outputs={"last": ("m", 1)})
    assert last.tolist() == [[2], [3]]
    assert graph.weights == {}


def test_operations_of_other_domains_and_whole_numbers_arrive() -> None:
    graph = Graph()
    names = [
        graph.weight("matrix", np.array([[100, -50]], dtype=np.int8)),
        graph.weight("scale", np.array([0.01, 0.1], dtype=np.float32)),
    ]
    graph.add("DynamicQuantizeMatMul", ["rows", *names], "product", domain=MICROSOFT)
    (product,) = run(graph, np.array([[2.0]], dtype=np.float32), outputs={"product": ("n", 2)})
    np.testing.assert_allclose(product, [[2, -10]], rtol=1e-2)
