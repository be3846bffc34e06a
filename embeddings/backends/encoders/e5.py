"""multilingual-e5-small: a model of twelve layers for texts in about a hundred languages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders import projected, word_rules
from embeddings.backends.encoders.bert import Floats, Precision
from embeddings.backends.encoders.e5_file import E5File
from embeddings.backends.encoders.runtime import OnnxBert
from embeddings.backends.encoders.unigram import Unigram
from embeddings.backends.encoders.windows import balanced
from embeddings.backends.pieces import WordPieces, tokenize
from embeddings.contract import Task

WINDOW: Final = 384  # with the pieces around the text
_START, _END = 0, 2
# The model was trained with these words in front of its texts.
_PREFIXES: Final[dict[Task, str]] = {"query": "query:", "document": "passage:"}
AXES: Final = Path(__file__).with_name("e5_axes.npy")
_AXES_SHA256 = "ea96aafb6644d1dd38744eb0f134d599f5b9adfd23b65fe70f18963875bee21d"


class E5:
    """The model, its tokenizer and its axes."""

    def __init__(self, *, axes: projected.Axes | None = None, precision: Precision | None = None) -> None:
        file = E5File()
        self.tokenizer = Unigram(file.vocabulary())
        self._axes = axes or projected.load(AXES, sha256=_AXES_SHA256)
        self._embed = file.embed
        self._positions = file.positions()
        self._bert = OnnxBert(file.bert(), precision=precision)
        self._prefixes = {task: [_START, *self.tokenizer.split(prefix)[0]] for task, prefix in _PREFIXES.items()}

    def tokenize(self, text: str | Sequence[str]) -> WordPieces:
        return tokenize(text, split=self.tokenizer.split, rules=word_rules.multilingual)

    def meanings(self, pieces: WordPieces, task: Task) -> Floats:
        return self._axes.project(self.contextual(pieces.ids, task)[pieces.embedded])

    def contextual(self, ids: NDArray[np.int64], task: Task) -> Floats:
        """Return the last layer's vectors (n, 384) of pieces (n)."""
        prefix = self._prefixes[task]
        parts = []
        for window in balanced(len(ids), size=WINDOW - len(prefix) - 1):
            around = np.array([*prefix, *ids[window.start : window.stop], _END])
            encoded = self._bert(self._embed(around) + self._positions[: len(around)])
            before = len(prefix) - window.start
            parts.append(encoded[before + window.first : before + window.last])
        return np.concatenate(parts)
