"""The Universal Sentence Encoder (multilingual, version 3): one vector for a whole question, or a passage of a page.

A question and the passage that answers it have similar vectors even if they share no word, or no language: the model
was trained on questions with their answers, and on translations, in sixteen languages. It looks at neighbouring pieces
only, so it takes a fraction of the time of a transformer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders import projected
from embeddings.backends.encoders.bert import Floats
from embeddings.backends.encoders.sentence_file import SentenceFile

AXES: Final = Path(__file__).with_name("sentence_axes.npy")
_AXES_SHA256 = "ca607fab9bb3fe4c3c66c8d599b209b4533cee45f3d25364fb1f341c22377775"
PASSAGE: Final = 128  # pieces, at most
_START, _END = 1, 2
_DIM, _WIDTH = 512, 256
# By the number of neighbouring pieces that a branch combines: how many of them come before the piece itself.
_BRANCHES: Final = {2: 0, 3: 1, 5: 2}

Ids = NDArray[np.int64]


class SentenceEncoder:
    """The model. Many threads may use it at the same time."""

    def __init__(self, *, axes: projected.Axes | None = None) -> None:
        file = SentenceFile()
        self._tokenizer, self._pieces, self._arrays = file.tokenizer, file.pieces, file.arrays
        self._axes = axes or projected.load(AXES, sha256=_AXES_SHA256)

    def whole(self, text: str) -> list[Ids]:
        """Return the pieces of a text as one passage; none if it has no pieces."""
        encodable = text.encode("utf-8", "replace").decode()  # a lone surrogate is not
        ids = np.array(self._tokenizer.encode(encodable), dtype=np.int64)
        return [ids] if len(ids) else []

    def passages(self, text: str) -> list[Ids]:
        """Return the pieces of a text in passages of about equal length."""
        return [part for ids in self.whole(text) for part in np.array_split(ids, -(-len(ids) // PASSAGE))]

    def meanings(self, passages: Sequence[Ids]) -> Floats:
        """Return a unit vector (n, 112) for each passage."""
        return self._axes.project(np.stack([self.encode(ids) for ids in passages]))

    def encode(self, ids: Ids) -> Floats:
        """Return the vector (512) of the pieces of a passage."""
        weights = self._arrays
        embedded = self._pieces.embed(np.concatenate([[_START], ids, [_END]]))
        inputs = np.concatenate(
            [embedded @ weights[f"proj{size}"] + weights[f"proj_b{size}"] for size in _BRANCHES], axis=1
        )
        gains, biases = (np.concatenate([weights[f"{name}{size}"] for size in _BRANCHES]) for name in ("ln_g", "ln_b"))
        inputs = self._norm(inputs, gains, biases)
        branches = [
            self._branch(inputs[:, number * _WIDTH : (number + 1) * _WIDTH], size)
            for number, size in enumerate(_BRANCHES)
        ]
        combined = self._norm(np.concatenate([embedded, *branches], axis=1), weights["ln_g"], weights["ln_b"])
        length = np.float32(len(embedded))
        summed = (combined.sum(axis=0) @ weights["cnn_W"] + length * weights["cnn_b"]) / np.sqrt(length)
        first = summed @ weights["p1"] + _positive(summed @ weights["d0"]) @ weights["d1"]
        first = _positive(first)
        encoded: Floats = np.tanh(first @ weights["p3"] + _positive(first @ weights["d2"]) @ weights["d3"])
        return encoded

    def _branch(self, inputs: Floats, size: int) -> Floats:
        """Combine each piece with its neighbours, twice."""
        once = inputs + self._combine(inputs, size, "1")
        return once + self._combine(once, size, "2")

    def _combine(self, inputs: Floats, size: int, step: str) -> Floats:
        before = _BRANCHES[size]
        padded = np.pad(inputs, ((before, size - 1 - before), (0, 0)))
        neighbours = np.concatenate([padded[start : start + len(inputs)] for start in range(size)], axis=1)
        return _positive(neighbours @ self._arrays[f"w{step}_{size}"] + self._arrays[f"b{step}_{size}"])

    def _norm(self, rows: Floats, gains: Floats, biases: Floats) -> Floats:
        rows -= rows.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", rows, rows) / np.float32(rows.shape[1])
        rows /= np.sqrt(variance + np.float32(self._arrays["eps"]))[:, None]
        rows *= gains
        rows += biases
        return rows


def _positive(values: Floats) -> Floats:
    positive: Floats = np.maximum(values, 0, out=values)
    return positive
