"""The test backend: hashed words, no weights, microseconds per input.

A word is a fixed direction in the first 112 dimensions, so only equal words match. The last 16 dimensions contain the
appearance of an image: its grey values in 4 x 4 cells. The two parts are orthogonal: a text matches words, and an image
matches images that look the same. An image without words can be found only by its appearance.
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
APPEARANCE_DIMS = 16
_CELLS = 4
# In grey values: gives a uniform cell a direction of its own, and limits the influence of noise.
_CONTRAST_OFFSET = 8.0
_MIN_PIXELS_PER_VALUE = 16  # per side
_EMPTY = "\0nothing"


def make(_: Settings) -> "LexicalBackend":
    """Return the backend; it has no settings."""
    return LexicalBackend()


class LexicalBackend:
    info = BackendInfo(
        backend="lexical",
        space=VectorSpace("paliapi/lexical-v1", "1", WORD_DIMS + APPEARANCE_DIMS),
        reads_pixels=False,
        warnings=("Finds equal words only; meant for tests.",),
    )

    def load(self) -> None:
        """Do nothing; there are no weights."""

    def prepare(self, item: Item) -> Prepared:
        on_page = item.words or ()
        texts = [item.text or ""] if item.image is None else [word.text for word in on_page]
        tokens = [(token, number) for number, text in enumerate(texts) for token in words.split(text)]
        rows = [_pad(words.direction(token, dim=WORD_DIMS)) for token, _ in tokens]
        boxes: list[list[float] | None] = [_box(on_page[number]) for _, number in tokens] if on_page else []
        if item.image is not None:
            appearance = _appearance(item.image)
            rows += list(appearance)
            boxes += [None] * len(appearance)
        elif not rows:
            rows = [_pad(words.direction(_EMPTY, dim=WORD_DIMS))]
        layout: Layout | None = {"kind": "boxes", "boxes": boxes} if item.image is not None else None
        vectors = np.stack(rows).astype(np.float16)
        return Prepared(tokens=len(rows), payload=MultiVector(vectors, layout))

    def collate(self, batch: Sequence[Prepared]) -> list[MultiVector]:
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[MultiVector]) -> list[MultiVector]:
        return batch

    def close(self) -> None:
        """Do nothing; there is nothing to release."""


def _pad(direction: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([direction, np.zeros(APPEARANCE_DIMS, dtype=np.float32)])


def _box(word: Word) -> list[float]:
    return [word.x0, word.y0, word.x1, word.y1]


def _appearance(image: Image.Image) -> NDArray[np.float32]:
    """Return the 16 cells of an image as unit rows (16, 128), each made from its 4 x 4 grey values."""
    side = _CELLS * _CELLS
    # A JPEG decoded at reduced size is as good here, and four times as fast.
    drafted = image.draft("L", (_MIN_PIXELS_PER_VALUE * side, _MIN_PIXELS_PER_VALUE * side))
    grey = np.asarray(
        image.convert("L").resize((side, side), Image.Resampling.BOX, box=drafted[1] if drafted else None),
        dtype=np.float32,
    )
    cells = grey.reshape(_CELLS, _CELLS, _CELLS, _CELLS).swapaxes(1, 2).reshape(side, APPEARANCE_DIMS)
    cells = cells - cells.mean(axis=1, keepdims=True) + _CONTRAST_OFFSET
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    return np.concatenate([np.zeros((side, WORD_DIMS), dtype=np.float32), cells], axis=1)
