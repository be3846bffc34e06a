"""Opens ONNX models for a single thread, with their smallest weights set to zero.

Some published weights are so small that their products are subnormal, which takes many processors off their fast path:
the line detector is two to three times slower with them on some machines, and detects exactly the same lines.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import onnxruntime

_SMALLEST: Final = 1e-20

# Field numbers of the format: a model has a graph, a graph has tensors, a tensor has a type and its bytes.
_GRAPH, _TENSORS, _TYPE, _BYTES = 7, 5, 2, 9
_FLOAT32 = 1
_VARINT, _FIXED64, _SIZED, _FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """A field of a protocol-buffers message: its number, its integer value, and the range of its bytes.

    `key` is the position of the number and size in front of them.
    """

    number: int
    value: int
    start: int
    stop: int
    key: int


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Open a model. Many threads may run the session concurrently; each run uses one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    patched = bytes(zero_tiny_weights(model if isinstance(model, bytes) else model.read_bytes()))
    return onnxruntime.InferenceSession(patched, sess_options=options, providers=["CPUExecutionProvider"])


def zero_tiny_weights(model: bytes) -> bytearray:
    """Return the same model with every float32 weight below 1e-20 set to zero."""
    patched = bytearray(model)
    for tensor in _nested_fields(patched, _GRAPH, _TENSORS):
        parts = {field.number: field for field in fields(patched, tensor.start, tensor.stop)}
        if _BYTES in parts and _TYPE in parts and parts[_TYPE].value == _FLOAT32:
            start, stop = parts[_BYTES].start, parts[_BYTES].stop
            weights = np.frombuffer(patched, dtype="<f4", count=(stop - start) // 4, offset=start)
            weights[np.abs(weights) < _SMALLEST] = 0
    return patched


def _nested_fields(message: bytearray, outer: int, inner: int) -> Iterator[Field]:
    for field in fields(message, 0, len(message)):
        if field.number == outer:
            yield from (part for part in fields(message, field.start, field.stop) if part.number == inner)


def fields(message: bytes | bytearray, start: int, stop: int) -> Iterator[Field]:
    """Iterate over the fields of the protocol-buffers message in these bytes."""
    while start < stop:
        position = start
        key, start = _varint(message, start)
        kind, value, size = key & 7, 0, 0
        if kind == _VARINT:
            value, start = _varint(message, start)
        elif kind == _SIZED:
            size, start = _varint(message, start)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"A field of kind {kind} is not in this format.")
        yield Field(key >> 3, value, start, start + size, position)
        start += size


def _varint(message: bytes | bytearray, position: int) -> tuple[int, int]:
    """Decode an integer (groups of seven bits, lowest first); return it and the position after it."""
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
