"""Writes ONNX models: the few messages of the format that an encoder needs, as bytes.

The weights are not part of a model; ONNX Runtime takes them as arrays when it loads it. The integers that say how an
operation is done, such as its axes, are part of it.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MICROSOFT: Final = "com.microsoft"
_OPSETS: Final = {"": 18, MICROSOFT: 1}
_IR_VERSION: Final = 9

# Numbers of types in the format.
_TYPES: Final = {"float32": 1, "uint8": 2, "int8": 3, "int64": 7}
_FLOAT_ATTRIBUTE, _INTEGER_ATTRIBUTE = 1, 2
_EXTERNAL = 1

Axis = int | str


@dataclass(slots=True)
class Graph:
    """A graph in the making. `weights` are the arrays that its operations refer to."""

    weights: dict[str, NDArray[Any]] = field(default_factory=dict)
    _nodes: list[bytes] = field(default_factory=list)
    _integers: list[bytes] = field(default_factory=list)

    def add(
        self,
        operation: str,
        inputs: Sequence[str],
        outputs: str | Sequence[str],
        *,
        domain: str = "",
        **attributes: float,
    ) -> str:
        """Add an operation, and return the name of its first output."""
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        self._nodes.append(
            b"".join(_bytes(1, name.encode()) for name in inputs)
            + b"".join(_bytes(2, name.encode()) for name in names)
            + _bytes(4, operation.encode())
            + b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
            + _bytes(7, domain.encode())
        )
        return names[0]

    def weight(self, name: str, values: NDArray[Any]) -> str:
        """Add an array, and return its name."""
        self.weights[name] = np.ascontiguousarray(values)
        return name

    def integers(self, name: str, *values: int) -> str:
        """Add a row of integers that is part of the model, and return its name."""
        row = np.array(values, dtype="<i8")
        self._integers.append(_described(name, row) + _bytes(9, row.tobytes()))
        return name

    def model(self, *, inputs: Mapping[str, Sequence[Axis]], outputs: Mapping[str, Sequence[Axis]]) -> bytes:
        """Return the model; inputs and outputs are float32 and have these axes."""
        graph = (
            b"".join(_bytes(1, node) for node in self._nodes)
            + _bytes(2, b"encoder")
            + b"".join(_bytes(5, tensor) for tensor in self._integers)
            + b"".join(_bytes(5, _tensor(name, values)) for name, values in self.weights.items())
            + b"".join(_bytes(11, _value(name, axes)) for name, axes in inputs.items())
            + b"".join(_bytes(12, _value(name, axes)) for name, axes in outputs.items())
        )
        opsets = (_bytes(1, domain.encode()) + _integer(2, version) for domain, version in _OPSETS.items())
        return _integer(1, _IR_VERSION) + _bytes(7, graph) + b"".join(_bytes(8, opset) for opset in opsets)


def _attribute(name: str, value: float) -> bytes:
    named = _bytes(1, name.encode())
    if isinstance(value, int):
        return named + _integer(3, value) + _integer(20, _INTEGER_ATTRIBUTE)
    return named + _key(2, 5) + struct.pack("<f", value) + _integer(20, _FLOAT_ATTRIBUTE)


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    """Describe an array that is given to ONNX Runtime by its name; the place is required and never read."""
    place = {"location": name, "offset": "0", "length": str(values.nbytes)}
    entries = (_bytes(1, key.encode()) + _bytes(2, value.encode()) for key, value in place.items())
    return _described(name, values) + b"".join(_bytes(13, entry) for entry in entries) + _integer(14, _EXTERNAL)


def _described(name: str, values: NDArray[Any]) -> bytes:
    """Describe an array by its name, shape and type."""
    lengths = b"".join(_integer(1, length) for length in values.shape)
    return lengths + _integer(2, _TYPES[values.dtype.name]) + _bytes(8, name.encode())


def _value(name: str, axes: Sequence[Axis]) -> bytes:
    shape = b"".join(
        _bytes(1, _integer(1, axis) if isinstance(axis, int) else _bytes(2, axis.encode())) for axis in axes
    )
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _integer(1, _TYPES["float32"]) + _bytes(2, shape)))


def _bytes(number: int, content: bytes) -> bytes:
    return _key(number, 2) + _varint(len(content)) + content


def _integer(number: int, value: int) -> bytes:
    return _key(number, 0) + _varint(value)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    """Return an integer in groups of seven bits, lowest first."""
    return bytes(_groups(value))


def _groups(value: int) -> Iterator[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
