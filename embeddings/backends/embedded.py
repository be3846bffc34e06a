"""Searches the text of pages with nothing but a CPU: OCR or given words, a small sentence model, and hashed words.

A vector is [sqrt(1 - b) * meaning (112); sqrt(b) * word (16)], of unit length. The meaning is MiniLM's vector of the
word piece in its surroundings, projected; the word is the fixed direction of the whole word the piece belongs to, which
keeps numbers and names apart that mean the same to the model. It knows English only.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from embeddings.backends import words
from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.backends.minilm import CLS, DIM, SEP, WINDOW, Floats, MiniLM
from embeddings.backends.ocr import OcrReader
from embeddings.backends.pieces import Pieces, cut
from embeddings.backends.projection import SEMANTIC_DIMS, load
from embeddings.config import Settings
from embeddings.contract import Layout, MultiVector, VectorSpace, Word

WORD_DIMS = 16
_WORD_SHARE = 0.1
_NOTHING = "\0nothing"
# More windows at once than these would leave the processor's cache.
_WINDOWS_AT_ONCE = 4


def make(settings: Settings) -> "EmbeddedBackend":
    """It is a fallback where the settings ask for a model that it is not."""
    return EmbeddedBackend(degraded=settings.backend == "auto")


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """What one item says, in word pieces, and the box of each piece if it is a page; `read` is what OCR found."""

    pieces: Pieces
    boxes: list[list[float] | None] | None
    read: Sequence[Word] = ()


class EmbeddedBackend:
    """OCR runs where items are prepared, the sentence model where batches are computed."""

    def __init__(self, *, degraded: bool = False) -> None:
        warnings = ("Searches the English text on a page; does not see charts, photos, layout or handwriting.",)
        self.info = BackendInfo(
            backend="embedded",
            space=VectorSpace("paliapi/embedded-minilm-ocr-v1", "1", SEMANTIC_DIMS + WORD_DIMS),
            languages="en",
            degraded=degraded,
            warnings=warnings,
        )

    def load(self) -> None:
        # OCR uses the other processors; threads of two libraries that wait for each other take ten times as long.
        threadpool_limits(limits=1, user_api="blas")
        self._model = MiniLM()
        self._axes, self._common = load()
        self._reader = OcrReader()

    def prepare(self, item: Item) -> Prepared:
        if item.image is None:
            text = Text(cut(item.text or "", tokenizer=self._model.tokenizer), boxes=None)
        else:
            # A page that has a text layer without words is a scan.
            text = self._page(item.words) if item.words else self._scan(self._reader.words(item.image))
        return Prepared(tokens=max(len(text.pieces.ids), 1), payload=text)

    def _page(self, found: Sequence[Word]) -> Text:
        pieces = cut([word.text for word in found], tokenizer=self._model.tokenizer)
        boxes: list[list[float] | None] = [
            [found[number].x0, found[number].y0, found[number].x1, found[number].y1] for number in pieces.sources
        ]
        return Text(pieces, boxes)

    def _scan(self, read: Sequence[Word]) -> Text:
        return replace(self._page(read), read=read)

    def collate(self, batch: Sequence[Prepared]) -> list[Text]:
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[Text]) -> list[MultiVector]:
        vectors = self._meanings([text.pieces.ids for text in batch])
        return [self._joined(text, meanings) for text, meanings in zip(batch, vectors, strict=True)]

    def _meanings(self, many: Sequence[NDArray[np.int64]]) -> list[Floats]:
        """MiniLM's vectors (n, 384) of the pieces of each text. Windows of equal length are computed together."""
        found = [np.empty((len(ids), DIM), dtype=np.float32) for ids in many]
        windows = [(text, window) for text, ids in enumerate(many) for window in spread(len(ids))]
        windows.sort(key=lambda one: one[1].stop - one[1].start)
        while windows:
            length = windows[0][1].stop - windows[0][1].start
            some = [one for one in windows[:_WINDOWS_AT_ONCE] if one[1].stop - one[1].start == length]
            windows = windows[len(some) :]
            ids = np.array([[CLS, *many[text][window.start : window.stop], SEP] for text, window in some])
            for (text, window), rows in zip(some, self._model.forward(ids), strict=True):
                inner = rows[1:-1][window.first - window.start : window.last - window.start]
                found[text][window.first : window.last] = inner
        return found

    def _joined(self, text: Text, meanings: Floats) -> MultiVector:
        pieces, boxes = text.pieces, text.boxes
        if not pieces.kept.any():
            return _nothing(is_page=boxes is not None)
        kept = meanings[pieces.kept]
        kept /= np.linalg.norm(kept, axis=1, keepdims=True)
        meant = kept @ self._axes - self._common
        # Projecting shortens; the share of the word must not depend on by how much.
        meant *= np.float32((1 - _WORD_SHARE) ** 0.5) / np.linalg.norm(meant, axis=1, keepdims=True)
        said = np.stack([_said(word) for word, keep in zip(pieces.words, pieces.kept, strict=True) if keep])
        rows = np.concatenate([meant, said * np.float32(_WORD_SHARE**0.5)], axis=1)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        layout: Layout | None = None
        if boxes is not None:
            layout = {"kind": "boxes", "boxes": [box for box, keep in zip(boxes, pieces.kept, strict=True) if keep]}
            if text.read:
                layout["words"] = [[word.text, word.x0, word.y0, word.x1, word.y1] for word in text.read]
        return MultiVector(rows.astype(np.float16), layout)

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class Window:
    """The model sees pieces from `start` to `stop`; the vectors from `first` to `last` are used."""

    start: int
    stop: int
    first: int
    last: int


def spread(count: int) -> list[Window]:
    """Windows over so many pieces. Where two overlap, each piece is taken where it has more text around it."""
    size, overlap = WINDOW - 2, 64
    if count <= size:
        return [Window(0, count, 0, count)] if count else []
    starts = [*range(0, count - size, size - overlap), count - size]
    # Between two windows the halves of what they share belong to either.
    edges = [0, *((later + earlier + size) // 2 for earlier, later in itertools.pairwise(starts)), count]
    return [Window(start, start + size, *edges[number : number + 2]) for number, start in enumerate(starts)]


def _said(word: str) -> Floats:
    return words.direction(word, dim=WORD_DIMS) if word else np.zeros(WORD_DIMS, dtype=np.float32)


def _nothing(*, is_page: bool) -> MultiVector:
    """What stands for a page or a query without words: a direction that hardly anything else points to."""
    row = np.concatenate([np.zeros(SEMANTIC_DIMS, dtype=np.float32), words.direction(_NOTHING, dim=WORD_DIMS)])
    return MultiVector(row[None].astype(np.float16), {"kind": "boxes", "boxes": [None]} if is_page else None)
