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

from embeddings.backends.encoders import projected, sentence_model
from embeddings.backends.encoders.bert import Floats
from embeddings.backends.encoders.runtime import OnnxModel
from embeddings.backends.encoders.sentence_file import SentenceFile

AXES: Final = Path(__file__).with_name("sentence_axes.npy")
_AXES_SHA256 = "ca607fab9bb3fe4c3c66c8d599b209b4533cee45f3d25364fb1f341c22377775"
PASSAGE: Final = 128  # pieces, at most
_START, _END = 1, 2
# What remains of a passage when its pieces are summed.
_AFTER: Final = ("cnn_W", "cnn_b", "p1", "d0", "d1", "p3", "d2", "d3")

Ids = NDArray[np.int64]


class SentenceEncoder:
    """The model. Many threads may use it at the same time."""

    def __init__(self, *, axes: projected.Axes | None = None) -> None:
        file = SentenceFile()
        self._tokenizer, self._pieces = file.tokenizer, file.pieces
        self._combine = OnnxModel(*sentence_model.build(file.arrays))
        self._arrays = {name: file.arrays[name] for name in _AFTER}
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
        return self._axes.project(self.encode(passages))

    def encode(self, passages: Sequence[Ids]) -> Floats:
        """Return the vectors (n, 512) of the pieces of passages."""
        weights = self._arrays
        with_ends = [np.array([_START, *ids, _END]) for ids in passages]
        summed = np.stack([self._combine(self._pieces.embed(ids)) for ids in with_ends])
        lengths: Floats = np.array([[len(ids)] for ids in with_ends], dtype=np.float32)
        features: Floats = summed @ weights["cnn_W"] + lengths * weights["cnn_b"]
        features /= np.sqrt(lengths)
        first = features @ weights["p1"] + _positive(features @ weights["d0"]) @ weights["d1"]
        first = _positive(first)
        encoded: Floats = np.tanh(first @ weights["p3"] + _positive(first @ weights["d2"]) @ weights["d3"])
        return encoded


def _positive(values: Floats) -> Floats:
    positive: Floats = np.maximum(values, 0, out=values)
    return positive
