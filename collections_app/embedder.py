"""The one door to the embeddings service: its errors become ours here, and nothing else of it is known elsewhere."""

import atexit
import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import structlog
from django.conf import settings

from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy, InputNotEmbeddable
from embeddings.client import (
    Client,
    ClientError,
    Embedded,
    Patience,
    Rejected,
    ServiceUnavailable,
)
from embeddings.contract import Word
from paliapi.errors import Problem

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Somebody waits for these answers; a worker that has time asks again from the row.
_SOMEBODY_WAITS = Patience(connect_s=2, read_s=25, total_s=28, attempts=3)


class _Clients:
    """One client for each process and service; a forked child makes its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[int, str, str], Client] = {}

    def get(self) -> Client:
        env = settings.ENV
        key = (os.getpid(), env.embeddings_url, env.embeddings_url_token)
        with self._lock:
            if key not in self._known:
                self._known[key] = Client(env.embeddings_url, token=env.embeddings_url_token, patience=_SOMEBODY_WAITS)
            return self._known[key]

    def close(self) -> None:
        """Give back the connections of this process; a parent's are not ours to close."""
        with self._lock:
            for (pid, _, _), client in self._known.items():
                if pid == os.getpid():
                    client.close()
            self._known.clear()


_clients = _Clients()
atexit.register(_clients.close)


def queries(texts: Sequence[str], *, at: str) -> Embedded:
    """Questions as multi-vectors; `at` is where they lie in the request."""
    return _asked(lambda client: client.queries(texts), at=at)


def pages(images: Sequence[bytes], *, at: str, words: Sequence[Sequence[Word] | None] | None = None) -> Embedded:
    """Page images as multi-vectors, with the words on each where they are known."""
    return _asked(lambda client: client.pages(images, words=words), at=at)


def _asked(ask: Callable[[Client], T], *, at: str) -> T:
    try:
        return ask(_clients.get())
    except Rejected as refused:
        pointer = at if refused.index is None else f"{at}/{refused.index}"
        problem = Problem(pointer, InputNotEmbeddable.code, refused.detail)
        raise InputNotEmbeddable(problems=(problem,)) from refused
    except ServiceUnavailable as gone:
        log.warning("embeddings_unavailable", error=gone.detail)
        raise EmbeddingsUnavailable(retry_after_s=gone.retry_after_s or 5) from gone
    except ClientError as wrong:
        # Ours to mend, so the caller learns no more than that.
        log.error("embeddings_untrustworthy", error=wrong.detail)
        raise EmbeddingsUntrustworthy(retry_after_s=30) from wrong
