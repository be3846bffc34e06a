"""Hashed words only: no weights, microseconds, for tests of everything around a model.

A word is a fixed direction in the first 112 dimensions, so only equal words meet. The last 16 dimensions hold what an
image looks like: its grey values in 4 x 4 cells. The two never touch, so a text finds words and an image finds images
that look the same; an image that comes without words is found by its looks alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.backends import words
from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.config import Settings
from embeddings.contract import Layout, MultiVector, VectorSpace, Word

WORD_DIMS = 112
LOOK_DIMS = 16
_CELLS = 4
# In grey values: it gives an even cell a direction of its own, and keeps noise in it from deciding.
_EVENNESS = 8.0
_LEAST = 16  # pixels a side for each grey value
_NOTHING = "\0nothing"


def make(_: Settings) -> "LexicalBackend":
    """The one lexical backend there is."""
    return LexicalBackend()


class LexicalBackend:
    info = BackendInfo(
        backend="lexical",
        space=VectorSpace("paliapi/lexical-v1", "1", WORD_DIMS + LOOK_DIMS),
        reads_pixels=False,
        warnings=("Finds equal words only; meant for tests.",),
    )

    def load(self) -> None:
        """Nothing to load."""

    def prepare(self, item: Item) -> Prepared:
        given = item.words or ()
        texts = [item.text or ""] if item.image is None else [word.text for word in given]
        found = [(word, number) for number, text in enumerate(texts) for word in words.split(text)]
        rows = [_widened(words.direction(word, dim=WORD_DIMS)) for word, _ in found]
        boxes: list[list[float] | None] = [_box(given[number]) for _, number in found] if given else []
        if item.image is not None:
            looks = _looks(item.image)
            rows += list(looks)
            boxes += [None] * len(looks)
        elif not rows:
            rows = [_widened(words.direction(_NOTHING, dim=WORD_DIMS))]
        layout: Layout | None = {"kind": "boxes", "boxes": boxes} if item.image is not None else None
        vectors = np.stack(rows).astype(np.float16)
        return Prepared(tokens=len(rows), payload=MultiVector(vectors, layout))

    def collate(self, batch: Sequence[Prepared]) -> list[MultiVector]:
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[MultiVector]) -> list[MultiVector]:
        return batch

    def close(self) -> None:
        """Nothing to close."""


def _widened(word: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([word, np.zeros(LOOK_DIMS, dtype=np.float32)])


def _box(word: Word) -> list[float]:
    return [word.x0, word.y0, word.x1, word.y1]


def _looks(image: Image.Image) -> NDArray[np.float32]:
    """The 16 cells of an image as unit rows (16, 128), each from its 4 x 4 grey values."""
    side = _CELLS * _CELLS
    # What comes smaller out of a JPEG's decoder is as good here, and costs a quarter.
    drafted = image.draft("L", (_LEAST * side, _LEAST * side))
    grey = np.asarray(
        image.convert("L").resize((side, side), Image.Resampling.BOX, box=drafted[1] if drafted else None),
        dtype=np.float32,
    )
    cells = grey.reshape(_CELLS, _CELLS, _CELLS, _CELLS).swapaxes(1, 2).reshape(side, LOOK_DIMS)
    cells = cells - cells.mean(axis=1, keepdims=True) + _EVENNESS
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    return np.concatenate([np.zeros((side, WORD_DIMS), dtype=np.float32), cells], axis=1)
