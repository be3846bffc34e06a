"""Reads and writes the graph of an ONNX model: as much of the format as it takes to change a few nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.onnx_model import Field, fields

Floats = NDArray[np.float32]

# Field numbers of the format.
_GRAPH, _OPERATOR_SETS = 7, 8
_NODES, _TENSORS, _INPUTS, _OUTPUTS = 1, 5, 11, 12
_NODE_INPUTS, _NODE_OUTPUTS, _NODE_KIND, _NODE_ATTRIBUTES, _NODE_DOMAIN = 1, 2, 4, 5, 7
_SHAPE, _TYPE, _TENSOR_NAME, _BYTES = 1, 2, 8, 9
_NAME, _VALUE_TYPE = 1, 2
_INTEGERS, _ATTRIBUTE_TYPE = 8, 20
_TYPES: Final = {"float32": 1, "int8": 3}
_INTEGERS_TYPE = 7


class Node(NamedTuple):
    """An operation: its kind, the names of its inputs and outputs, and the bytes of its attributes by name."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, bytes]
    domain: str = ""


@dataclass(slots=True)
class Graph:
    """The nodes, the float32 weights and, as they are, the remaining bytes of a model around and in its graph."""

    nodes: list[Node]
    weights: dict[str, NDArray[Any]]
    inputs: list[bytes]
    outputs: list[bytes]
    rest: bytes
    rest_of_model: bytes

    def to_bytes(self) -> bytes:
        """Return the model."""
        graph = b"".join(
            [
                *(sized(_NODES, _node_bytes(node)) for node in self.nodes),
                *(sized(_TENSORS, _tensor_bytes(name, weights)) for name, weights in self.weights.items()),
                *(sized(_INPUTS, value) for value in self.inputs),
                *(sized(_OUTPUTS, value) for value in self.outputs),
                self.rest,
            ]
        )
        return self.rest_of_model + sized(_GRAPH, graph)


def parse(model: bytes) -> Graph:
    """Return the graph of a model. Tensors that are not float32 stay in the rest."""
    graph = Graph([], {}, [], [], b"", b"")
    whole = next(field for field in fields(model, 0, len(model)) if field.number == _GRAPH)
    graph.rest_of_model = model[: whole.key] + model[whole.stop :]
    for field in fields(model, whole.start, whole.stop):
        content = model[field.start : field.stop]
        if field.number == _NODES:
            graph.nodes.append(_node(content))
        elif field.number == _INPUTS:
            graph.inputs.append(content)
        elif field.number == _OUTPUTS:
            graph.outputs.append(content)
        elif field.number == _TENSORS and (weights := _weights(content)) is not None:
            graph.weights[_text(content, _TENSOR_NAME)] = weights
        else:
            graph.rest += model[field.key : field.stop]
    return graph


def image_input(name: str) -> bytes:
    """Describe an input: any number of float32 images of three channels and any size."""
    dimensions = sized(1, b"") + sized(1, integer(1, 3)) + 2 * sized(1, b"")
    return sized(_NAME, name.encode()) + sized(_VALUE_TYPE, sized(1, integer(1, 1) + sized(2, dimensions)))


def float_output(name: str) -> bytes:
    """Describe an output: float32, of unknown shape."""
    return sized(_NAME, name.encode()) + sized(_VALUE_TYPE, sized(1, integer(1, 1)))


def operator_set(domain: str, version: int) -> bytes:
    """Declare the operators of a domain, to be appended to the rest of a model."""
    return sized(_OPERATOR_SETS, sized(1, domain.encode()) + integer(2, version))


def integers(name: str, values: Sequence[int]) -> dict[str, bytes]:
    """Return an attribute with integers."""
    content = sized(1, name.encode()) + b"".join(integer(_INTEGERS, value) for value in values)
    return {name: content + integer(_ATTRIBUTE_TYPE, _INTEGERS_TYPE)}


def sized(number: int, content: bytes) -> bytes:
    """Return a field with these bytes."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def integer(number: int, value: int) -> bytes:
    """Return a field with an integer."""
    return _varint(number << 3) + _varint(value)


def _node(content: bytes) -> Node:
    parts = list(fields(content, 0, len(content)))
    attributes = [_content(content, part) for part in parts if part.number == _NODE_ATTRIBUTES]
    return Node(
        _text(content, _NODE_KIND),
        tuple(_content(content, part).decode() for part in parts if part.number == _NODE_INPUTS),
        tuple(_content(content, part).decode() for part in parts if part.number == _NODE_OUTPUTS),
        {_text(attribute, _NAME): attribute for attribute in attributes},
        _text(content, _NODE_DOMAIN),
    )


def _node_bytes(node: Node) -> bytes:
    return b"".join(
        [
            *(sized(_NODE_INPUTS, name.encode()) for name in node.inputs),
            *(sized(_NODE_OUTPUTS, name.encode()) for name in node.outputs),
            sized(_NODE_KIND, node.kind.encode()),
            *(sized(_NODE_ATTRIBUTES, attribute) for attribute in node.attributes.values()),
            sized(_NODE_DOMAIN, node.domain.encode()),
        ]
    )


def _weights(content: bytes) -> Floats | None:
    parts = list(fields(content, 0, len(content)))
    data = [_content(content, part) for part in parts if part.number == _BYTES]
    if len(data) != 1 or not any(part.number == _TYPE and part.value == _TYPES["float32"] for part in parts):
        return None
    shape = [part.value for part in parts if part.number == _SHAPE]
    return np.frombuffer(data[0], dtype="<f4").reshape(shape)


def _tensor_bytes(name: str, weights: NDArray[Any]) -> bytes:
    shape = b"".join(integer(_SHAPE, side) for side in weights.shape)
    kind = integer(_TYPE, _TYPES[weights.dtype.name])
    return shape + kind + sized(_TENSOR_NAME, name.encode()) + sized(_BYTES, weights.tobytes())


def _text(content: bytes, number: int) -> str:
    parts = (part for part in fields(content, 0, len(content)) if part.number == number)
    return b"".join(_content(content, part) for part in parts).decode()


def _content(message: bytes, field: Field) -> bytes:
    return message[field.start : field.stop]


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
