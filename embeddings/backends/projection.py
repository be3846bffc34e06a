"""Projects MiniLM's 384 dimensions onto the 112 in which its own vocabulary lies furthest apart.

The projection ships as projection.npy. `python -m embeddings.backends.projection` makes it again: it takes the
principal axes of the model's vectors of every fourth word of its vocabulary, each word alone in a sentence. All of its
vectors lean the same way; what they have in common is taken away, since it tells no two words apart.
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
_SHA256 = "43a157fa7111a54a28d052097b0f5fc617baab5de5f75e647f9e916ed320bc53"
_EVERY = 4


def load() -> tuple[Floats, Floats]:
    """The axes (384, 112), and where on them what all vectors have in common lies (112)."""
    stored = np.load(io.BytesIO(read_checked(_FILE, sha256=_SHA256)), allow_pickle=False).astype(np.float32)
    return stored[:DIM], stored[DIM]


def principal_axes(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first 112 principal axes (384, 112) of unit vectors (n, 384), each with its largest entry positive.

    They are taken about the origin: that finds one page in sixty more than about the mean, which may be chance.
    """
    _, axes = np.linalg.eigh(vectors.T @ vectors)
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
    vectors = vocabulary_vectors(MiniLM())
    axes = principal_axes(vectors)
    np.save(_FILE, np.vstack([axes, vectors.mean(axis=0) @ axes]).astype(np.float16))
    sys.stdout.write(f"Wrote {_FILE}\n")


if __name__ == "__main__":
    main()
