"""The documents that this process works on at once, each in a thread of its own.

While some wait for the embeddings service, others are rendered; so requests to the service are full, and it has
something to do all the time. A document is added only while there is room, which bounds memory.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from collections_app.ingest.embed_pages import REQUEST_PAGES, SharedEmbedder
from paliapi.database import release_connection

# Each has a process that renders it, and up to two batches of pages in memory.
_RENDERED_AT_ONCE = 2
# Rendered pages that wait for a slow service or a fast one. More would only take memory, and time out in the end.
_WAITING_PAGES_IF_SLOW, _WAITING_PAGES = REQUEST_PAGES, 4 * REQUEST_PAGES
_LOOK_EVERY_S = 0.05


class InFlight:
    """At most `limit` documents."""

    def __init__(self, embedder: SharedEmbedder, *, limit: int) -> None:
        self._embedder = embedder
        self._limit = limit
        self._changed = threading.Condition()
        self._rendering: set[object] = set()
        self._running: set[Future[None]] = set()
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix="document")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for all documents; raise what one has raised."""
        self._pool.shutdown()
        self._drop_finished()

    def is_empty(self) -> bool:
        self._drop_finished()
        return not self._running

    def start(self, work: Callable[[Callable[[], None]], None]) -> None:
        """Work on a document in a thread. `work` gets a function to call once its last page is rendered."""
        document = object()
        with self._changed:
            self._rendering.add(document)
        self._running.add(self._pool.submit(self._run, document, work))

    def wait_for_room(self, *, until: float) -> None:
        """Wait until there is room for another document, or until the time."""
        while not self._has_room() and time.monotonic() < until:
            with self._changed:
                self._changed.wait(_LOOK_EVERY_S)

    def wait_until_empty(self, *, within_s: float) -> None:
        """Wait until no document is left, or until the seconds are over."""
        until = time.monotonic() + within_s
        while not self.is_empty() and time.monotonic() < until:
            with self._changed:
                self._changed.wait(_LOOK_EVERY_S)

    def _has_room(self) -> bool:
        self._drop_finished()
        is_slow = self._embedder.is_slow
        return (
            len(self._running) < self._limit
            and len(self._rendering) < (1 if is_slow else _RENDERED_AT_ONCE)
            and self._embedder.count_pages() < (_WAITING_PAGES_IF_SLOW if is_slow else _WAITING_PAGES)
        )

    def _run(self, document: object, work: Callable[[Callable[[], None]], None]) -> None:
        def rendered() -> None:
            with self._changed:
                self._rendering.discard(document)
                self._changed.notify()

        try:
            work(rendered)
        finally:
            release_connection()
            rendered()

    def _drop_finished(self) -> None:
        for future in [one for one in self._running if one.done()]:
            self._running.remove(future)
            future.result()
