"""The built-in backend, which searches the text of pages on a CPU: OCR, a small sentence model, and hashed words.

A vector is [sqrt(1 - b) * meaning (112); sqrt(b) * word (16)], of unit length. The meaning is MiniLM's contextual
vector of a word piece, projected. The word is the fixed direction of the whole word that contains the piece; it
separates numbers and names that mean the same to the model. English only.
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
from embeddings.backends.pieces import WordPieces, tokenize
from embeddings.backends.projection import SEMANTIC_DIMS, load
from embeddings.backends.reading import tesseract
from embeddings.config import Settings
from embeddings.contract import Layout, MultiVector, VectorSpace, Word

WORD_DIMS = 16
_WORD_SHARE = 0.1
_EMPTY = "\0nothing"
# More windows at once would exceed the processor's cache.
_WINDOWS_PER_BATCH = 4


def make(settings: Settings) -> "EmbeddedBackend":
    """Return the backend; it is degraded if it was chosen as a fallback."""
    return EmbeddedBackend(degraded=settings.backend == "auto")


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedItem:
    """An item's word pieces, the box of each piece if it is a page, and the words that OCR read."""

    pieces: WordPieces
    boxes: list[list[float] | None] | None
    ocr_words: Sequence[Word] = ()
    unread_script: str = ""


class EmbeddedBackend:
    """Runs OCR while items are prepared, and the sentence model while batches are computed."""

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
        # OCR uses the other cores; two thread pools that compete for them are ten times slower.
        threadpool_limits(limits=1, user_api="blas")
        self._model = MiniLM()
        self._axes, self._common = load()
        self._reader = OcrReader(tesseract.running())

    def prepare(self, item: Item) -> Prepared:
        if item.image is None:
            tokenized = TokenizedItem(tokenize(item.text or "", tokenizer=self._model.tokenizer), boxes=None)
        elif item.words:
            tokenized = self._tokenize_page(item.words)
        else:
            # A page whose text layer has no words is a scan.
            read = self._reader.read_page(item.image)
            tokenized = self._tokenize_page(read.words, ocr_words=read.words)
            tokenized = replace(tokenized, unread_script=read.unread_script)
        return Prepared(tokens=max(len(tokenized.pieces.ids), 1), payload=tokenized)

    def _tokenize_page(self, on_page: Sequence[Word], *, ocr_words: Sequence[Word] = ()) -> TokenizedItem:
        pieces = tokenize([word.text for word in on_page], tokenizer=self._model.tokenizer)
        boxes: list[list[float] | None] = [
            [on_page[source].x0, on_page[source].y0, on_page[source].x1, on_page[source].y1]
            for source in pieces.sources
        ]
        return TokenizedItem(pieces, boxes, ocr_words)

    def collate(self, batch: Sequence[Prepared]) -> list[TokenizedItem]:
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[TokenizedItem]) -> list[MultiVector]:
        meanings = self._contextual_vectors([item.pieces.ids for item in batch])
        return [
            _with_unread_script(self._multi_vector(item, rows), item.unread_script)
            for item, rows in zip(batch, meanings, strict=True)
        ]

    def _contextual_vectors(self, texts: Sequence[NDArray[np.int64]]) -> list[Floats]:
        """Return MiniLM's vectors (n, 384) of the pieces of each text. Windows of equal length are batched."""
        vectors = [np.empty((len(ids), DIM), dtype=np.float32) for ids in texts]
        pending = [(number, window) for number, ids in enumerate(texts) for window in windows(len(ids))]
        pending.sort(key=lambda entry: entry[1].stop - entry[1].start)
        while pending:
            length = pending[0][1].stop - pending[0][1].start
            batch = [entry for entry in pending[:_WINDOWS_PER_BATCH] if entry[1].stop - entry[1].start == length]
            pending = pending[len(batch) :]
            ids = np.array([[CLS, *texts[number][window.start : window.stop], SEP] for number, window in batch])
            for (number, window), rows in zip(batch, self._model.forward(ids), strict=True):
                inner = rows[1:-1][window.first - window.start : window.last - window.start]
                vectors[number][window.first : window.last] = inner
        return vectors

    def _multi_vector(self, item: TokenizedItem, contextual: Floats) -> MultiVector:
        pieces, boxes = item.pieces, item.boxes
        if not pieces.embedded.any():
            return _empty_multi_vector(is_page=boxes is not None)
        selected = contextual[pieces.embedded]
        selected /= np.linalg.norm(selected, axis=1, keepdims=True)
        meanings = selected @ self._axes - self._common
        # Projection shortens vectors by different amounts; normalise, so that the share of the word stays the same.
        meanings *= np.float32((1 - _WORD_SHARE) ** 0.5) / np.linalg.norm(meanings, axis=1, keepdims=True)
        directions = np.stack(
            [_word_direction(word) for word, embedded in zip(pieces.words, pieces.embedded, strict=True) if embedded]
        )
        rows = np.concatenate([meanings, directions * np.float32(_WORD_SHARE**0.5)], axis=1)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        layout: Layout | None = None
        if boxes is not None:
            of_rows = [box for box, embedded in zip(boxes, pieces.embedded, strict=True) if embedded]
            layout = {"kind": "boxes", "boxes": of_rows}
            if item.ocr_words:
                layout["words"] = [[word.text, word.x0, word.y0, word.x1, word.y1] for word in item.ocr_words]
        return MultiVector(rows.astype(np.float16), layout)

    def close(self) -> None:
        """Do nothing; there is nothing to release."""


@dataclass(frozen=True, slots=True)
class Window:
    """The model sees the pieces from `start` to `stop`; the vectors from `first` to `last` are used."""

    start: int
    stop: int
    first: int
    last: int


def windows(count: int) -> list[Window]:
    """Return windows over `count` pieces. Where two overlap, each piece belongs to the one with more context."""
    size, overlap = WINDOW - 2, 64
    if count <= size:
        return [Window(0, count, 0, count)] if count else []
    starts = [*range(0, count - size, size - overlap), count - size]
    # The overlap of two windows is divided in the middle.
    edges = [0, *((later + earlier + size) // 2 for earlier, later in itertools.pairwise(starts)), count]
    return [Window(start, start + size, *edges[number : number + 2]) for number, start in enumerate(starts)]


def _with_unread_script(multi_vector: MultiVector, script: str) -> MultiVector:
    if script and multi_vector.layout is not None:
        multi_vector.layout["unread_script"] = script
    return multi_vector


def _word_direction(word: str) -> Floats:
    return words.direction(word, dim=WORD_DIMS) if word else np.zeros(WORD_DIMS, dtype=np.float32)


def _empty_multi_vector(*, is_page: bool) -> MultiVector:
    """Return a multi-vector for a page or query without words: a direction that is close to almost nothing."""
    row = np.concatenate([np.zeros(SEMANTIC_DIMS, dtype=np.float32), words.direction(_EMPTY, dim=WORD_DIMS)])
    return MultiVector(row[None].astype(np.float16), {"kind": "boxes", "boxes": [None]} if is_page else None)
