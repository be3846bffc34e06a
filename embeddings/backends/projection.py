"""Projects MiniLM's 384 dimensions onto the 112 in which its own vocabulary varies most.

The projection ships as projection.npy. `python -m embeddings.backends.projection` rebuilds it: it computes the
principal axes of the model's vectors of every fourth word of its vocabulary, each word alone in a sentence. All vectors
of the model have a component in common, which does not distinguish words; it is subtracted. The axes are taken about
the origin, which finds one page in sixty more than about the mean; that may be chance.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders import projected
from embeddings.backends.encoders.projected import Axes, principal_axes
from embeddings.backends.minilm import CLS, SEP, MiniLM

_FILE = Path(__file__).with_name("projection.npy")
_SHA256 = "43a157fa7111a54a28d052097b0f5fc617baab5de5f75e647f9e916ed320bc53"
_STEP = 4


def load() -> Axes:
    """Return the axes (384, 112), and the projected common component (112)."""
    return projected.load(_FILE, sha256=_SHA256)


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
    projected.store(_FILE, axes, vectors.mean(axis=0))
    sys.stdout.write(f"Wrote {_FILE}\n")


if __name__ == "__main__":
    main()
