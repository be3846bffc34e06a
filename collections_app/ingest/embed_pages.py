"""What the embeddings service makes of a batch of pages. It is asked in a thread of its own: the worker keeps one batch
while the next is made.

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
from collections_app.engine.retrieval.sketch import Small
from collections_app.errors import InputNotEmbeddable
from embeddings.contract import MAX_WORD_LENGTH, MAX_WORDS, MultiVector, VectorSpace, Word
from paliapi.errors import Error


class PageRefused(Exception):
    """One page is the reason that the document fails."""

    def __init__(self, error: Error, *, page: int) -> None:
        super().__init__(error.detail)
        self.error = error
        self.page = page


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The vectors of one page, and their small forms."""

    multi_vector: MultiVector
    small: Small


@dataclass(slots=True, kw_only=True)
class Made:
    """What became of the pages of a batch, by their numbers, and the spaces in which the service answered."""

    pages: dict[int, Embedded] = field(default_factory=dict)
    refused: dict[int, Error] = field(default_factory=dict)
    spaces: set[VectorSpace] = field(default_factory=set)
    took_s: float = 0.0


Embed: TypeAlias = Callable[[Sequence[RenderedPage]], Future[Made]]


@contextmanager
def aside(*, may_skip: bool) -> Iterator[Embed]:
    """A function that has batches embedded, one after the other, and returns at once.

    What the service refuses is told of each page with `may_skip`; else the first brings a PageRefused.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="embedding")
    try:
        yield lambda pages: pool.submit(contextvars.copy_context().run, _made, pages, may_skip=may_skip)
    finally:
        pool.shutdown(cancel_futures=True)


def _made(pages: Sequence[RenderedPage], *, may_skip: bool) -> Made:
    begun = time.monotonic()
    made = Made()
    _embed(made, list(pages), may_skip=may_skip)
    made.took_s = time.monotonic() - begun
    return made


def _embed(made: Made, pages: list[RenderedPage], *, may_skip: bool) -> None:
    """Add the vectors of the pages that the service takes, and why it refuses the others; PageRefused at the first."""
    if not pages:
        return
    try:
        space, vectors = embeddings_client.pages_to_keep(
            [page.image for page in pages], at="", words=[_words(page) for page in pages]
        )
    except InputNotEmbeddable as refusal:
        at = _place(refusal, pages)
        if at is None:
            middle = len(pages) // 2
            _embed(made, pages[:middle], may_skip=may_skip)
            _embed(made, pages[middle:], may_skip=may_skip)
            return
        number = pages[at].number
        if not may_skip:
            raise PageRefused(refusal, page=number) from refusal
        made.refused[number] = refusal
        _embed(made, pages[:at] + pages[at + 1 :], may_skip=may_skip)
    else:
        made.spaces.add(space)
        for page, one in zip(pages, vectors, strict=True):
            made.pages[page.number] = Embedded(one, sketch.small(one.vectors))


def _place(refusal: InputNotEmbeddable, pages: list[RenderedPage]) -> int | None:
    """Which of the pages the service refuses; None where it does not say."""
    named = refusal.problems[0].pointer.removeprefix("/") if refusal.problems else ""
    if named.isdecimal() and int(named) < len(pages):
        return int(named)
    return 0 if len(pages) == 1 else None


def _words(page: RenderedPage) -> list[Word] | None:
    """The text layer; none means that the service has to read the image."""
    words = page.words[:MAX_WORDS]
    return [
        one if len(one.text) <= MAX_WORD_LENGTH else one._replace(text=one.text[:MAX_WORD_LENGTH]) for one in words
    ] or None
