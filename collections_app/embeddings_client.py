"""The one door to the embeddings service: its errors become ours here, and nothing else of it is known elsewhere."""

import atexit
import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Literal, TypeVar

import structlog
from django.conf import settings

from collections_app.engine.input import base64_input
from collections_app.engine.outbound.circuit_breaker import CircuitBreaker, WaitBudget
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy, InputNotEmbeddable
from embeddings.client import Client, ClientError, EmbeddingResult, InputRejected, RetryPolicy, ServiceUnavailable
from embeddings.contract import MultiVector, Vectors, VectorSpace, Word
from paliapi.errors import Problem, Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")
Task = Literal["query", "image"]

# Somebody waits for these answers, and a thread of the web with them.
_SOMEBODY_WAITS = RetryPolicy(connect_s=2, read_s=25, total_s=28, attempts=3)
# Somebody waits who would rather have another answer soon, or too many wait already. Only words are read so quickly.
_SOMEBODY_HURRIES = RetryPolicy(connect_s=1, read_s=5, total_s=6, attempts=2)
# A worker has time: a service without a GPU reads a batch of scans for a minute. When it gives up, the row remembers.
_NOBODY_WAITS = RetryPolicy(connect_s=5, read_s=120, total_s=140, attempts=3)
_A_SIGN_OF_LIFE = RetryPolicy(connect_s=2, read_s=8, total_s=9, attempts=1)
# After silence: until then only those who may wait for long ask.
_LOOK_AGAIN_S = 6.0
_LONGEST_NAME = 200


class _Clients:
    """One client and one circuit breaker for each process and service; a forked child makes its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[int, str, str, RetryPolicy], Client] = {}
        self._breakers: dict[tuple[int, str], CircuitBreaker] = {}

    def get(self, patience: RetryPolicy) -> Client:
        env = settings.ENV
        key = (os.getpid(), env.embeddings_url, env.embeddings_url_token, patience)
        with self._lock:
            if key not in self._known:
                self._known[key] = Client(env.embeddings_url, token=env.embeddings_url_token, retry_policy=patience)
            return self._known[key]

    def breaker(self) -> CircuitBreaker:
        """Half of the threads may wait for long."""
        key = (os.getpid(), settings.ENV.embeddings_url)
        with self._lock:
            if key not in self._breakers:
                limit = max(1, settings.ENV.web_threads // 2)
                self._breakers[key] = CircuitBreaker(max_long_waits=limit, probe_interval_s=_LOOK_AGAIN_S)
            return self._breakers[key]

    def close(self) -> None:
        """Give back the connections of this process; a parent's are not ours to close."""
        with self._lock:
            for (pid, *_), client in self._known.items():
                if pid == os.getpid():
                    client.close()
            self._known.clear()


_clients = _Clients()
atexit.register(_clients.close)


def embed(inputs: Sequence[str], *, task: Task, at: str) -> EmbeddingResult:
    """Return one multi-vector for each input, in order; images are base64."""
    if task == "query":
        return queries(inputs, at=at)
    return pages([base64_input.decode(text, at=f"{at}/{number}") for number, text in enumerate(inputs)], at=at)


def queries(texts: Sequence[str], *, at: str) -> EmbeddingResult:
    """Questions as multi-vectors; `at` is where they lie in the request."""
    return _asked_soon(lambda client: client.embed_queries(texts), at=at, short=_SOMEBODY_HURRIES)


def question(text: str, *, at: str, hasty: bool = False) -> tuple[VectorSpace, Vectors]:
    """One question as vectors, and the space they lie in."""
    return _only(
        _asked_soon(
            lambda client: client.embed_queries([text]), at=at, listed=False, hasty=hasty, short=_SOMEBODY_HURRIES
        )
    )


def picture(image: bytes, *, at: str, hasty: bool = False) -> tuple[VectorSpace, Vectors]:
    """An image that is a question."""
    return _only(_asked_soon(lambda client: client.embed_pages([image]), at=at, listed=False, hasty=hasty))


def pages(images: Sequence[bytes], *, at: str, words: Sequence[Sequence[Word] | None] | None = None) -> EmbeddingResult:
    """Page images as multi-vectors, with the words on each where they are known."""
    return _asked_soon(lambda client: client.embed_pages(images, words=words), at=at)


def pages_to_keep(
    images: Sequence[bytes], *, at: str, words: Sequence[Sequence[Word] | None]
) -> tuple[VectorSpace, list[MultiVector]]:
    """Pages for the index, with their layout and the space they lie in; for who has time to wait."""
    found = _asked(
        lambda client: client.embed_pages(images, words=words, with_layout=True), at=at, patience=_NOBODY_WAITS
    )
    return _named(found), found.multi_vectors


def space() -> VectorSpace:
    """The space in which the service answers now; for who has time to wait."""
    return _named(_asked(lambda client: client.embed_queries(["page"]), at="", patience=_NOBODY_WAITS))


def answers() -> bool:
    """Whether the service does what it is there for."""
    try:
        _named(_asked(lambda client: client.embed_queries(["page"]), at="", patience=_A_SIGN_OF_LIFE))
    except Unavailable:
        return False
    return True


def _only(found: EmbeddingResult) -> tuple[VectorSpace, Vectors]:
    (one,) = found.multi_vectors
    return _named(found), one.vectors


def _named(found: EmbeddingResult) -> VectorSpace:
    """The space, if its name can be kept."""
    told = found.space
    if told is None or any(len(name) > _LONGEST_NAME or "\0" in name for name in (told.model, told.revision)):
        log.error("embeddings_untrustworthy", error="The service gives its model a name that cannot be kept.")
        raise EmbeddingsUntrustworthy(retry_after_s=30)
    return told


def _asked_soon(
    ask: Callable[[Client], T],
    *,
    at: str,
    listed: bool = True,
    hasty: bool = False,
    short: RetryPolicy = _SOMEBODY_WAITS,
) -> T:
    """For who waits. `short` is how long, where too many wait already."""
    breaker = _clients.breaker()
    with breaker.admit(fail_fast=hasty) as budget:
        if budget is WaitBudget.NONE:
            raise EmbeddingsUnavailable(retry_after_s=5)
        try:
            found = _asked(ask, at=at, listed=listed, patience=_SOMEBODY_WAITS if budget is WaitBudget.LONG else short)
        except EmbeddingsUnavailable:
            breaker.failed()
            raise
    breaker.succeeded()
    return found


def _asked(ask: Callable[[Client], T], *, at: str, listed: bool = True, patience: RetryPolicy) -> T:
    try:
        return ask(_clients.get(patience))
    except InputRejected as refused:
        pointer = at if refused.index is None or not listed else f"{at}/{refused.index}"
        problem = Problem(pointer, InputNotEmbeddable.code, refused.detail)
        raise InputNotEmbeddable(problems=(problem,)) from refused
    except ServiceUnavailable as gone:
        log.warning("embeddings_unavailable", error=gone.detail)
        raise EmbeddingsUnavailable(retry_after_s=gone.retry_after_s or 5) from gone
    except ClientError as wrong:
        # Ours to mend, so the caller learns no more than that.
        log.error("embeddings_untrustworthy", error=wrong.detail)
        raise EmbeddingsUntrustworthy(retry_after_s=30) from wrong
