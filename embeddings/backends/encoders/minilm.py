"""all-MiniLM-L6-v2: a model of six layers for English texts, in the two forms whose vectors are in two spaces.

`FormerMiniLM` is the first built-in model, in float32: collections that it embedded stay searchable with it.
`EnglishMiniLM` is several times as fast.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from embeddings.backends import projection
from embeddings.backends.encoders import word_rules
from embeddings.backends.encoders.bert import Bert, Dense, Floats, Layer, Norm
from embeddings.backends.encoders.runtime import OnnxBert
from embeddings.backends.encoders.windows import balanced, full
from embeddings.backends.minilm import CLS, EPSILON, HEADS, LAYERS, SEP, WINDOW, MiniLM, splitter
from embeddings.backends.pieces import WordPieces, tokenize
from embeddings.contract import Task

_SIZE: Final = WINDOW - 2
# More windows at once would exceed the processor's cache.
_WINDOWS_AT_ONCE = 4


class FormerMiniLM:
    """The model in float32, in windows of full length."""

    def __init__(self) -> None:
        self._model = MiniLM()
        self._split = splitter(self._model.tokenizer)
        self._axes = projection.load()

    def tokenize(self, text: str | Sequence[str]) -> WordPieces:
        return tokenize(text, split=self._split, rules=word_rules.english)

    def meanings(self, pieces: WordPieces, task: Task) -> Floats:  # noqa: ARG002 - the model has no prompts
        return self._axes.project(self._contextual(pieces.ids)[pieces.embedded])

    def _contextual(self, ids: NDArray[np.int64]) -> Floats:
        chosen = full(len(ids), size=_SIZE)
        inputs = np.array([[CLS, *ids[window.start : window.stop], SEP] for window in chosen])
        parts = []
        for first in range(0, len(chosen), _WINDOWS_AT_ONCE):
            encoded = self._model.forward(inputs[first : first + _WINDOWS_AT_ONCE])
            for window, rows in zip(chosen[first:], encoded, strict=False):
                parts.append(rows[1 + window.first - window.start : 1 + window.last - window.start])
        return np.concatenate(parts)


class EnglishMiniLM:
    """The model in eight bits, in balanced windows."""

    def __init__(self) -> None:
        model = MiniLM()
        weights = model.weights
        self._split = splitter(model.tokenizer)
        self._axes = projection.load()
        # A copy, because the others of the file would be kept with it.
        self._pieces = weights["embeddings.word_embeddings.weight"].copy()
        self._positions = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._bert = OnnxBert(_bert(weights))

    def tokenize(self, text: str | Sequence[str]) -> WordPieces:
        return tokenize(text, split=self._split, rules=word_rules.english)

    def meanings(self, pieces: WordPieces, task: Task) -> Floats:  # noqa: ARG002 - the model has no prompts
        return self._axes.project(self._contextual(pieces.ids)[pieces.embedded])

    def _contextual(self, ids: NDArray[np.int64]) -> Floats:
        parts = []
        for window in balanced(len(ids), size=_SIZE):
            around = np.array([CLS, *ids[window.start : window.stop], SEP])
            encoded = self._bert(self._pieces[around] + self._positions[: len(around)])
            parts.append(encoded[1 + window.first - window.start : 1 + window.last - window.start])
        return np.concatenate(parts)


def _bert(weights: dict[str, Floats]) -> Bert:
    def norm(name: str) -> Norm:
        return Norm(weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"])

    def dense(name: str) -> Dense:
        return Dense(np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"])

    layers = []
    for number in range(LAYERS):
        name = f"encoder.layer.{number}"
        layer = Layer(
            query=dense(f"{name}.attention.self.query"),
            key=dense(f"{name}.attention.self.key"),
            value=dense(f"{name}.attention.self.value"),
            attended=dense(f"{name}.attention.output.dense"),
            attended_norm=norm(f"{name}.attention.output"),
            wide=dense(f"{name}.intermediate.dense"),
            narrow=dense(f"{name}.output.dense"),
            norm=norm(f"{name}.output"),
        )
        layers.append(layer)
    return Bert(HEADS, EPSILON, norm("embeddings"), layers)
