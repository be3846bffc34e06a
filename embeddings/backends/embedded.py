"""The built-in backend, which searches the text of pages on a CPU: OCR, a small text model, and hashed words.

A vector is [sqrt(1 - b) * meaning (112); sqrt(b) * word (16)], of unit length. The meaning is the model's contextual
vector of a word piece, projected. The word is the fixed direction of the whole word that contains the piece; it
separates numbers and names that mean the same to the model.

With a sentence encoder, a page also has a vector for each passage, and a query several equal ones for all of it. Their
word is a fixed mark, so that they match each other. `benchmarks.quality.fit` chose its share, and their number.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from embeddings import cores
from embeddings.backends import words
from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.backends.encoders.bert import Floats
from embeddings.backends.encoders.e5 import E5
from embeddings.backends.encoders.minilm import EnglishMiniLM, FormerMiniLM
from embeddings.backends.encoders.projected import SEMANTIC_DIMS
from embeddings.backends.encoders.sentences import Ids, SentenceEncoder
from embeddings.backends.encoders.text_encoder import TextEncoder
from embeddings.backends.encoders.word_rules import Words
from embeddings.backends.ocr import OcrReader
from embeddings.backends.pieces import WordPieces
from embeddings.backends.reading import tesseract
from embeddings.config import ConfigError, Settings
from embeddings.contract import Layout, MultiVector, Task, VectorSpace, Word

WORD_DIMS: Final = 16
_WORD_SHARE = 0.1
_MARK_SHARE = 0.15
_QUERY_COPIES = 3
_EMPTY = "\0nothing"
_MARK = "\0sentence"


@dataclass(frozen=True, slots=True)
class TextModel:
    """A model that can be chosen by its name, which is also that of its space."""

    name: str
    languages: str
    sees: str
    load: Callable[[], TextEncoder]
    revision: str = "1"  # another one whenever the vectors change
    sentences: bool = False

    @property
    def space(self) -> VectorSpace:
        return VectorSpace(self.name, self.revision, SEMANTIC_DIMS + WORD_DIMS)


MULTILINGUAL: Final = TextModel("paliapi/embedded-e5-ocr-v1", "any", "text", E5, revision="3", sentences=True)
ENGLISH: Final = TextModel("paliapi/embedded-minilm-ocr-v2", "en", "English text", EnglishMiniLM)
FORMER: Final = TextModel("paliapi/embedded-minilm-ocr-v1", "en", "English text", FormerMiniLM)
DEFAULT: Final = MULTILINGUAL
MODELS: Final = {model.name: model for model in (MULTILINGUAL, ENGLISH, FORMER)}


def make(settings: Settings) -> "EmbeddedBackend":
    """Return the backend of the chosen model; it is degraded if it was chosen as a fallback."""
    if settings.backend == "auto":
        return EmbeddedBackend(MODELS.get(settings.model, DEFAULT), degraded=True)
    if settings.model and settings.model not in MODELS:
        raise ConfigError([f"COLPALI_MODEL_NAME must be one of {', '.join(MODELS)} with COLPALI_BACKEND=embedded."])
    return EmbeddedBackend(MODELS.get(settings.model, DEFAULT))


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedItem:
    """An item's word pieces, the box of each piece if it is a page, its passages, and the words that OCR read."""

    task: Task
    pieces: WordPieces
    boxes: list[list[float] | None] | None
    passages: Sequence[Ids] = ()
    ocr_words: Sequence[Word] = ()
    unread_script: str = ""


class EmbeddedBackend:
    """Runs OCR while items are prepared, and the text model while batches are computed.

    Both for at most one page per core at the same time; a query does not wait for a core.
    """

    def __init__(self, model: TextModel = DEFAULT, *, degraded: bool = False) -> None:
        self._choice = model
        self._cores = cores.count()
        self._free_cores = threading.BoundedSemaphore(self._cores)
        self.info = BackendInfo(
            backend="embedded",
            space=model.space,
            languages=model.languages,
            degraded=degraded,
            warnings=(f"Searches the {model.sees} on a page; does not see charts, photos, layout or handwriting.",),
            concurrent_pages=self._cores,
        )

    def load(self) -> None:
        # Each page has a core of its own; thread pools that compete for them are ten times slower.
        threadpool_limits(limits=1, user_api="blas")
        self._encoder = self._choice.load()
        self._sentences = SentenceEncoder() if self._choice.sentences else None
        self._reader = OcrReader(tesseract.running())

    def prepare(self, item: Item) -> Prepared:
        if item.image is None:
            text = item.text or ""
            passages = self._sentences.whole(text) if self._sentences else []
            tokenized = TokenizedItem(item.task, self._encoder.tokenize(text), boxes=None, passages=passages)
        elif item.words:
            tokenized = self._tokenize_page(item.task, item.words)
        else:
            # A page whose text layer has no words is a scan.
            with self._free_cores:
                read = self._reader.read_page(item.image)
            tokenized = self._tokenize_page(item.task, read.words, ocr_words=read.words)
            tokenized = replace(tokenized, unread_script=read.unread_script)
        return Prepared(tokens=max(len(tokenized.pieces.ids), 1), payload=tokenized)

    def _tokenize_page(self, task: Task, on_page: Sequence[Word], *, ocr_words: Sequence[Word] = ()) -> TokenizedItem:
        texts = [word.text for word in on_page]
        pieces = self._encoder.tokenize(texts)
        passages = self._sentences.passages(" ".join(texts)) if self._sentences else []
        boxes: list[list[float] | None] = [
            [on_page[source].x0, on_page[source].y0, on_page[source].x1, on_page[source].y1]
            for source in pieces.sources
        ]
        return TokenizedItem(task, pieces, boxes, passages, ocr_words)

    def collate(self, batch: Sequence[Prepared]) -> list[TokenizedItem]:
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[TokenizedItem]) -> list[MultiVector]:
        return [self._encode_one(item) for item in batch]

    def _encode_one(self, item: TokenizedItem) -> MultiVector:
        if item.boxes is None:
            return self._multi_vector(item)
        with self._free_cores:
            multi_vector = self._multi_vector(item)
        if item.unread_script and multi_vector.layout is not None:
            multi_vector.layout["unread_script"] = item.unread_script
        return multi_vector

    def _multi_vector(self, item: TokenizedItem) -> MultiVector:
        pieces, boxes = item.pieces, item.boxes
        if not pieces.embedded.any():
            return _empty_multi_vector(is_page=boxes is not None)
        meanings = self._encoder.meanings(pieces, item.task)
        directions = np.stack(
            [_direction(of_piece) for of_piece, embedded in zip(pieces.words, pieces.embedded, strict=True) if embedded]
        )
        rows = _joined(meanings, directions, share=_WORD_SHARE)
        of_passages = self._of_passages(item)
        layout: Layout | None = None
        if boxes is not None:
            of_rows = [box for box, embedded in zip(boxes, pieces.embedded, strict=True) if embedded]
            of_rows += [None] * len(of_passages)
            layout = {"kind": "boxes", "boxes": of_rows}
            if item.ocr_words:
                layout["words"] = [[word.text, word.x0, word.y0, word.x1, word.y1] for word in item.ocr_words]
        return MultiVector(np.concatenate([rows, of_passages]).astype(np.float16), layout)

    def _of_passages(self, item: TokenizedItem) -> Floats:
        """Return the vectors of the passages of a page, or as many times that of a query as it counts."""
        if not self._sentences or not item.passages:
            return np.empty((0, SEMANTIC_DIMS + WORD_DIMS), dtype=np.float32)
        rows = passage_rows(self._sentences.meanings(item.passages))
        return rows if item.boxes is not None else np.repeat(rows, _QUERY_COPIES, axis=0)

    def close(self) -> None:
        """Do nothing; there is nothing to release."""


def passage_rows(meanings: Floats, *, share: float = _MARK_SHARE) -> Floats:
    """Return the vectors of passages, whose word is the mark."""
    mark = np.broadcast_to(words.direction(_MARK, dim=WORD_DIMS), (len(meanings), WORD_DIMS))
    return _joined(meanings, mark, share=share)


def _joined(meanings: Floats, directions: Floats, *, share: float) -> Floats:
    """Return unit vectors of meanings and words, whose words have this share."""
    rows = np.concatenate([meanings * np.float32((1 - share) ** 0.5), directions * np.float32(share**0.5)], axis=1)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _direction(of_piece: Words) -> Floats:
    """Return the unit direction of the words of a piece; zeros if it has none."""
    if not of_piece:
        return np.zeros(WORD_DIMS, dtype=np.float32)
    if len(of_piece) == 1:
        return words.direction(of_piece[0], dim=WORD_DIMS)
    summed: Floats = np.stack([words.direction(word, dim=WORD_DIMS) for word in of_piece]).sum(axis=0)
    summed /= np.linalg.norm(summed)
    return summed


def _empty_multi_vector(*, is_page: bool) -> MultiVector:
    """Return a multi-vector for a page or query without words: a direction that is close to almost nothing."""
    row = np.concatenate([np.zeros(SEMANTIC_DIMS, dtype=np.float32), words.direction(_EMPTY, dim=WORD_DIMS)])
    return MultiVector(row[None].astype(np.float16), {"kind": "boxes", "boxes": [None]} if is_page else None)
