"""Embed batches of pages in a thread of its own, so that the worker can store one batch while the next is embedded.

Nothing here touches the database, whose connection belongs to the worker's thread.
"""

import contextvars
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from collections_app import embeddings_client
from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval import sketch
from collections_app.engine.retrieval.sketch import CompactForms
from collections_app.errors import InputNotEmbeddable
from embeddings.contract import MAX_WORD_LENGTH, MAX_WORDS, MultiVector, VectorSpace, Word
from paliapi.errors import Error


class PageFailed(Exception):
    """One page is the reason that the document fails."""

    def __init__(self, error: Error, *, page: int) -> None:
        super().__init__(error.detail)
        self.error = error
        self.page = page


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPage:
    """The vectors of one page, and the compact forms that searches scan."""

    multi_vector: MultiVector
    compact_forms: CompactForms


@dataclass(slots=True, kw_only=True)
class BatchResult:
    """The outcome of a batch, by page number, and the spaces of the vectors that the service returned."""

    pages: dict[int, EmbeddedPage] = field(default_factory=dict)
    refused: dict[int, Error] = field(default_factory=dict)
    spaces: set[VectorSpace] = field(default_factory=set)
    took_s: float = 0.0


Embed: TypeAlias = Callable[[Sequence[RenderedPage]], Future[BatchResult]]


@contextmanager
def background_embedder(*, may_skip: bool) -> Iterator[Embed]:
    """Yield a function that queues a batch and returns at once; batches are embedded one after the other.

    With `may_skip`, refused pages are listed in the result; otherwise the first one raises PageFailed.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="embedding")
    try:
        yield lambda pages: pool.submit(contextvars.copy_context().run, _embed_batch, pages, may_skip=may_skip)
    finally:
        pool.shutdown(cancel_futures=True)


def _embed_batch(pages: Sequence[RenderedPage], *, may_skip: bool) -> BatchResult:
    start = time.monotonic()
    result = BatchResult()
    _embed_into(result, list(pages), may_skip=may_skip)
    result.took_s = time.monotonic() - start
    return result


def _embed_into(result: BatchResult, pages: list[RenderedPage], *, may_skip: bool) -> None:
    """Add vectors for the pages that the service accepts. Find the pages it refuses, by halves if it does not say."""
    if not pages:
        return
    try:
        space, multi_vectors = embeddings_client.embed_pages_for_index(
            [page.image for page in pages], at="", words=[_words(page) for page in pages]
        )
    except InputNotEmbeddable as refusal:
        index = _refused_index(refusal, pages)
        if index is None:
            middle = len(pages) // 2
            _embed_into(result, pages[:middle], may_skip=may_skip)
            _embed_into(result, pages[middle:], may_skip=may_skip)
            return
        number = pages[index].number
        if not may_skip:
            raise PageFailed(refusal, page=number) from refusal
        result.refused[number] = refusal
        _embed_into(result, pages[:index] + pages[index + 1 :], may_skip=may_skip)
    else:
        result.spaces.add(space)
        for page, multi_vector in zip(pages, multi_vectors, strict=True):
            result.pages[page.number] = EmbeddedPage(multi_vector, sketch.compact_forms(multi_vector.vectors))


def _refused_index(refusal: InputNotEmbeddable, pages: list[RenderedPage]) -> int | None:
    """Return which of the pages the service refuses, or None if it does not say."""
    index = refusal.problems[0].pointer.removeprefix("/") if refusal.problems else ""
    if index.isdecimal() and int(index) < len(pages):
        return int(index)
    return 0 if len(pages) == 1 else None


def _words(page: RenderedPage) -> list[Word] | None:
    """Return the text layer; None makes the service read the image."""
    words = page.words[:MAX_WORDS]
    return [
        word if len(word.text) <= MAX_WORD_LENGTH else word._replace(text=word.text[:MAX_WORD_LENGTH]) for word in words
    ] or None
