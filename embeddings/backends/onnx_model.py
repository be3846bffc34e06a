"""Opens a model in the ONNX format for one thread, its smallest weights taken for zero.

Some published weights are so small that a processor leaves its fast path for each product with them: with them the
model that finds lines takes two to three times as long on some processors, and not one line is found otherwise.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import onnxruntime

_SMALLEST: Final = 1e-20

# Where the format keeps what: a model has a graph, a graph has tensors, a tensor has a type and its bytes.
_GRAPH, _TENSORS, _TYPE, _BYTES = 7, 5, 2, 9
_FLOAT32 = 1
_VARINT, _FIXED64, _SIZED, _FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """One field of a message: its number, the number it holds, and where its bytes are."""

    number: int
    value: int
    start: int
    stop: int


def opened(file: Path) -> onnxruntime.InferenceSession:
    """A session; many threads may run it at once, each alone."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        bytes(flushed(file.read_bytes())), sess_options=options, providers=["CPUExecutionProvider"]
    )


def flushed(model: bytes) -> bytearray:
    """The same model with zero for every weight that is next to nothing."""
    found = bytearray(model)
    for tensor in _inside(found, _GRAPH, _TENSORS):
        parts = {field.number: field for field in _fields(found, tensor.start, tensor.stop)}
        if _BYTES in parts and _TYPE in parts and parts[_TYPE].value == _FLOAT32:
            start, stop = parts[_BYTES].start, parts[_BYTES].stop
            weights = np.frombuffer(found, dtype="<f4", count=(stop - start) // 4, offset=start)
            weights[np.abs(weights) < _SMALLEST] = 0
    return found


def _inside(message: bytearray, outer: int, inner: int) -> Iterator[Field]:
    for field in _fields(message, 0, len(message)):
        if field.number == outer:
            yield from (part for part in _fields(message, field.start, field.stop) if part.number == inner)


def _fields(message: bytearray, start: int, stop: int) -> Iterator[Field]:
    """The fields of the message in these bytes, in the encoding of protocol buffers."""
    while start < stop:
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
        yield Field(key >> 3, value, start, start + size)
        start += size


def _varint(message: bytearray, place: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, the lowest first, and where it ends."""
    found = shift = 0
    while True:
        byte = message[place]
        place += 1
        found |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return found, place
