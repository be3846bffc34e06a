"""Projects MiniLM's 384 dimensions onto the 112 in which its own vocabulary lies furthest apart.

The projection ships as projection.npy. `python -m embeddings.backends.projection` makes it again: it takes the
principal axes of the model's vectors of every fourth word of its vocabulary, each word alone in a sentence.
"""

import io
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.minilm import CLS, DIM, SEP, Floats, MiniLM, read_checked

SEMANTIC_DIMS: Final = 112
_FILE = Path(__file__).with_name("projection.npy")
_SHA256 = "7c79fff758e1d66e143f68a59a70285bf2b9beabd7fbd4f6f7cf3cbc588ccc1a"
_EVERY = 4


def load() -> Floats:
    """The projection (384, 112)."""
    stored = np.load(io.BytesIO(read_checked(_FILE, sha256=_SHA256)), allow_pickle=False)
    return np.asarray(stored, dtype=np.float32)


def principal_axes(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first 112 principal axes (384, 112) of unit vectors (n, 384), each with its largest entry positive."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    first = axes[:, ::-1][:, :SEMANTIC_DIMS]
    largest = first[np.abs(first).argmax(axis=0), np.arange(SEMANTIC_DIMS)]
    signed: NDArray[np.float64] = first * np.sign(largest)
    return signed


def vocabulary_vectors(model: MiniLM) -> NDArray[np.float64]:
    """The unit vectors (n, 384) of every fourth whole word of the vocabulary."""
    words = sorted((number, word) for word, number in model.tokenizer.get_vocab().items() if word.isalpha())
    ids = np.array([[CLS, number, SEP] for number, _ in words[::_EVERY]])
    parts = [model.forward(part)[:, 1] for part in np.array_split(ids, len(ids) // 256 + 1)]
    vectors: NDArray[np.float64] = np.concatenate(parts).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def main() -> None:
    """Make the file again."""
    axes = principal_axes(vocabulary_vectors(MiniLM()))
    assert axes.shape == (DIM, SEMANTIC_DIMS)  # noqa: S101
    np.save(_FILE, axes.astype(np.float16))
    sys.stdout.write(f"Wrote {_FILE}\n")


if __name__ == "__main__":
    main()
