"""Projects the vectors of a model onto the axes in which texts vary most, and stores such axes.

A file contains the axes (dim, 112), and in its last row the mean of the model's vectors, projected. All vectors of a
model have a component in common, which does not distinguish words; it is subtracted.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders.bert import Floats
from embeddings.backends.minilm import read_verified

SEMANTIC_DIMS: Final = 112


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """The axes (dim, 112), and what is subtracted after the projection (112)."""

    axes: Floats
    common: Floats

    def project(self, vectors: Floats) -> Floats:
        """Return unit vectors (n, 112) for vectors (n, dim)."""
        projected: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) @ self.axes - self.common
        projected /= np.linalg.norm(projected, axis=1, keepdims=True)
        return projected


def load(file: Path, *, sha256: str) -> Axes:
    """Return the axes in a file, or raise InvalidModelFile."""
    stored = np.load(io.BytesIO(read_verified(file, sha256=sha256)), allow_pickle=False).astype(np.float32)
    return Axes(stored[:-1], stored[-1])


def store(file: Path, axes: NDArray[Any], mean: NDArray[Any]) -> None:
    """Write the axes (dim, 112) and the mean (dim)."""
    np.save(file, np.vstack([axes, mean @ axes]).astype(np.float16))


def principal_axes(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first 112 principal axes (dim, 112) of vectors (n, dim), each with a positive largest entry."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    first = axes[:, ::-1][:, :SEMANTIC_DIMS]
    largest = first[np.abs(first).argmax(axis=0), np.arange(SEMANTIC_DIMS)]
    signed: NDArray[np.float64] = first * np.sign(largest)
    return signed
