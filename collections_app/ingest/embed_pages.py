"""Embed pages in threads of their own. The pages of all documents that a process holds share requests to the service.

Nothing here touches the database, whose connection belongs to the thread of a document.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from collections_app import embeddings_client
from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval import sketch
from collections_app.engine.retrieval.sketch import CompactForms
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy, InputNotEmbeddable
from embeddings.contract import MAX_WORD_LENGTH, MAX_WORDS, MultiVector, VectorSpace, Word
from paliapi.errors import Error

REQUEST_PAGES = 8
_REQUEST_BYTES = 5 * 1024 * 1024
# While the service computes one request, the next is on its way.
_REQUESTS_AT_ONCE = 2
# The pause between two requests does not matter to a service that takes this long for one, and a second one would time
# out while it waits there.
_SLOW_REQUEST_S = 5.0


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


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """An embedded page, its space, and the seconds that its request took."""

    page: EmbeddedPage
    space: VectorSpace
    took_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _WaitingPage:
    """A page of a document, and the future that gets its vectors or the error that it caused."""

    document: int
    page: RenderedPage
    may_skip: bool
    future: Future[_Outcome] = field(default_factory=Future)


@dataclass(slots=True, kw_only=True)
class BatchResult:
    """The outcome of a batch, by page number, and the spaces of the vectors that the service returned."""

    pages: dict[int, EmbeddedPage] = field(default_factory=dict)
    refused: dict[int, Error] = field(default_factory=dict)
    spaces: set[VectorSpace] = field(default_factory=set)
    took_s: float = 0.0


class PendingBatch:
    """Pages of one document that are being embedded."""

    def __init__(self, waiting: Sequence[_WaitingPage]) -> None:
        self._waiting = waiting

    def is_done(self) -> bool:
        return all(one.future.done() for one in self._waiting)

    def cancel(self) -> None:
        """Do without the pages that no request contains yet."""
        for one in self._waiting:
            one.future.cancel()

    def result(self) -> BatchResult:
        """Wait for the pages, and list those that the service refused; raise PageFailed if none may be skipped."""
        result = BatchResult()
        for one in self._waiting:
            number = one.page.number
            try:
                outcome = one.future.result()
            except InputNotEmbeddable as refusal:
                result.refused[number] = refusal
            else:
                result.pages[number] = outcome.page
                result.spaces.add(outcome.space)
                result.took_s = max(result.took_s, outcome.took_s)
        return result


_Request: TypeAlias = list[_WaitingPage]


class SharedEmbedder:
    """Embeds pages of several documents. Owners take turns at the places of a request.

    A request is sent as soon as one of the threads is free, with the pages that wait by then; so requests fill up
    under load, and a lone page does not wait for others. The service counts as slow until it has answered quickly.
    """

    def __init__(self, *, is_slow: bool = True) -> None:
        # Ids of the spaces that documents have used. Not for longer: they change if the database is restored.
        self.space_ids: dict[VectorSpace, int] = {}
        self._changed = threading.Condition()
        self._queues: OrderedDict[int, deque[_WaitingPage]] = OrderedDict()  # by owner
        self._sent: list[_Request] = []  # the requests that the service has not answered yet
        self._is_slow = is_slow
        self._is_closed = False
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what waits, and wait for the requests that were sent."""
        with self._changed:
            self._is_closed = True
            for one in self._take_all():
                one.future.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    @property
    def is_slow(self) -> bool:
        """Whether the last request took so long that one is sent at a time."""
        return self._is_slow

    def count_pages(self) -> int:
        """Count the pages that wait or are in a request."""
        with self._changed:
            return sum(map(len, self._sent)) + sum(map(len, self._queues.values()))

    def submit(
        self, pages: Sequence[RenderedPage], *, owner_id: int, document: int, may_skip: bool = False
    ) -> PendingBatch:
        """Queue pages and return at once."""
        waiting = [_WaitingPage(document, page, may_skip) for page in pages]
        if waiting:
            with self._changed:
                self._queues.setdefault(owner_id, deque()).extend(waiting)
                if len(self._threads) < _REQUESTS_AT_ONCE:
                    self._threads.append(threading.Thread(target=self._send_requests, name="embedding", daemon=True))
                    self._threads[-1].start()
                self._changed.notify_all()
        return PendingBatch(waiting)

    def _send_requests(self) -> None:
        while request := self._next_request():
            began = time.monotonic()
            try:
                _embed(request)
            except EmbeddingsUnavailable as error:
                _fail(request, error)
                self._fail_waiting_pages(error)
            except BaseException as error:
                _fail(request, error)  # raised in the threads of the documents
            with self._changed:
                self._sent.remove(request)
                self._is_slow = time.monotonic() - began > _SLOW_REQUEST_S
                self._changed.notify_all()

    def _next_request(self) -> _Request:
        """Wait for pages and return those of the next request; an empty one means the end."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or (self._queues and self._may_send()))
                if self._is_closed:
                    return []
                request = [one for one in self._take_pages() if one.future.set_running_or_notify_cancel()]
                if request:
                    self._sent.append(request)
                    return request

    def _may_send(self) -> bool:
        return not (self._sent and self._is_slow)

    def _take_pages(self) -> _Request:
        """Take as many pages as fit into a request, one from each owner in turn."""
        pages: _Request = []
        size = 0
        while self._queues and len(pages) < REQUEST_PAGES:
            owner_id, queue = next(iter(self._queues.items()))
            size += len(queue[0].page.image)
            if pages and size > _REQUEST_BYTES:
                break
            pages.append(queue.popleft())
            if queue:
                self._queues.move_to_end(owner_id)
            else:
                del self._queues[owner_id]
        return pages

    def _take_all(self) -> _Request:
        waiting = [one for queue in self._queues.values() for one in queue]
        self._queues.clear()
        return waiting

    def _fail_waiting_pages(self, error: EmbeddingsUnavailable) -> None:
        """Fail the pages that wait if the service is away, instead of waiting as long again for each request."""
        if self.count_pages() and not embeddings_client.is_available():
            with self._changed:
                waiting = self._take_all()
            _fail([one for one in waiting if one.future.set_running_or_notify_cancel()], error)


def _embed(request: _Request) -> None:
    """Give each page its vectors. Find the pages that the service refuses, by halves if it does not say."""
    if not request:
        return
    began = time.monotonic()
    pages = [one.page for one in request]
    try:
        space, multi_vectors = embeddings_client.embed_pages_for_index(
            [page.image for page in pages], at="", words=[_words(page) for page in pages]
        )
    except InputNotEmbeddable as refusal:
        index = _refused_index(refusal, pages)
        if index is None:
            middle = len(request) // 2
            _embed(request[:middle])
            _embed(request[middle:])
            return
        _embed(_refuse(request, request[index], refusal))
    except EmbeddingsUntrustworthy as error:
        # One page may have caused the response, which is no reason for other documents to wait.
        by_document: dict[int, _Request] = {}
        for one in request:
            by_document.setdefault(one.document, []).append(one)
        if len(by_document) == 1:
            _fail(request, error)
            return
        for part in by_document.values():
            _embed(part)
    else:
        took_s = time.monotonic() - began
        for one, multi_vector in zip(request, multi_vectors, strict=True):
            page = EmbeddedPage(multi_vector, sketch.compact_forms(multi_vector.vectors))
            one.future.set_result(_Outcome(page, space, took_s))


def _refuse(request: _Request, refused: _WaitingPage, refusal: InputNotEmbeddable) -> _Request:
    """Refuse a page, or its document if that may not skip it, and return the rest of the request."""
    if refused.may_skip:
        refused.future.set_exception(refusal)
        return [one for one in request if one is not refused]
    failure = PageFailed(refusal, page=refused.page.number)
    _fail([one for one in request if one.document == refused.document], failure)
    return [one for one in request if one.document != refused.document]


def _fail(request: _Request, error: BaseException) -> None:
    """End the futures of a request that have no outcome yet."""
    for one in request:
        if not one.future.done():
            one.future.set_exception(error)


def _refused_index(refusal: InputNotEmbeddable, pages: Sequence[RenderedPage]) -> int | None:
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
