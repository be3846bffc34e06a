"""Projects MiniLM's 384 dimensions onto the 112 in which its own vocabulary varies most.

The projection ships as projection.npy. `python -m embeddings.backends.projection` rebuilds it: it computes the
principal axes of the model's vectors of every fourth word of its vocabulary, each word alone in a sentence. All vectors
of the model have a component in common, which does not distinguish words; it is subtracted.
"""

import io
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.minilm import CLS, DIM, SEP, Floats, MiniLM, read_verified

SEMANTIC_DIMS: Final = 112
_FILE = Path(__file__).with_name("projection.npy")
_SHA256 = "43a157fa7111a54a28d052097b0f5fc617baab5de5f75e647f9e916ed320bc53"
_STEP = 4


def load() -> tuple[Floats, Floats]:
    """Return the axes (384, 112), and the projected common component (112)."""
    stored = np.load(io.BytesIO(read_verified(_FILE, sha256=_SHA256)), allow_pickle=False).astype(np.float32)
    return stored[:DIM], stored[DIM]


def principal_axes(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first 112 principal axes (384, 112) of unit vectors (n, 384), each with a positive largest entry.

    They are taken about the origin, which finds one page in sixty more than about the mean; that may be chance.
    """
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    first = axes[:, ::-1][:, :SEMANTIC_DIMS]
    largest = first[np.abs(first).argmax(axis=0), np.arange(SEMANTIC_DIMS)]
    signed: NDArray[np.float64] = first * np.sign(largest)
    return signed


def vocabulary_vectors(model: MiniLM) -> NDArray[np.float64]:
    """Return the unit vectors (n, 384) of every fourth whole word of the vocabulary."""
    words = sorted((number, word) for word, number in model.tokenizer.get_vocab().items() if word.isalpha())
    ids = np.array([[CLS, number, SEP] for number, _ in words[::_STEP]])
    parts = [model.forward(part)[:, 1] for part in np.array_split(ids, len(ids) // 256 + 1)]
    vectors: NDArray[np.float64] = np.concatenate(parts).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def main() -> None:
    """Rebuild the file."""
    vectors = vocabulary_vectors(MiniLM())
    axes = principal_axes(vectors)
    np.save(_FILE, np.vstack([axes, vectors.mean(axis=0) @ axes]).astype(np.float16))
    sys.stdout.write(f"Wrote {_FILE}\n")


if __name__ == "__main__":
    main()
