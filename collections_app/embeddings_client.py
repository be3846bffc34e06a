"""The product's client of the embeddings service.

All calls to the service are made here, and its errors become errors of the product. Other modules use only the value
types of `embeddings.contract`.
"""

import atexit
import math
import os
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Literal, NamedTuple, TypeVar

import structlog
from django.conf import settings

from collections_app.engine.input import base64_input
from collections_app.engine.outbound.circuit_breaker import CircuitBreaker, WaitBudget
from collections_app.engine.rendering import query_image
from collections_app.engine.rendering.protocol import RenderLimits
from collections_app.errors import (
    EmbeddingsUnavailable,
    EmbeddingsUntrustworthy,
    InputNotEmbeddable,
    RerankerMissing,
)
from embeddings.client import (
    Client,
    ClientError,
    EmbeddingResult,
    InputRejected,
    InvalidResponse,
    NoReranker,
    RerankResult,
    RetryPolicy,
    ServiceUnavailable,
)
from embeddings.contract import MultiVector, Vectors, VectorSpace, Word
from paliapi.errors import Error, Problem, Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")
Task = Literal["query", "image"]
_Model = Literal["embedding", "reranker"]

# A client waits for the response, and occupies a thread of the web server.
_INTERACTIVE = RetryPolicy(connect_s=2, read_s=25, total_s=28, attempts=3)
# The client prefers a fast answer without the model, or too many threads wait already. Long enough for text only.
_FAIL_FAST = RetryPolicy(connect_s=1, read_s=5, total_s=6, attempts=2)
# A worker can wait: without a GPU, the service needs a minute for a batch of scans. After that the document waits.
_BACKGROUND = RetryPolicy(connect_s=5, read_s=120, total_s=140, attempts=3)
_PROBE = RetryPolicy(connect_s=2, read_s=8, total_s=9, attempts=1)
# After a timeout, only callers with a long wait call the service, and one probe in this interval.
_PROBE_INTERVAL_S = 6.0
_MAX_SPACE_NAME_LENGTH = 200
# A client waits while its images are decoded, all of one request in this time.
_IMAGES_S = 20
_IMAGE_MEMORY_MB = 1024
_MAX_IMAGE_MEGAPIXELS = 40


class EmbeddedQuery(NamedTuple):
    """The vectors of one query, and their space."""

    space: VectorSpace
    vectors: Vectors


class _Clients:
    """One client per retry policy, and one circuit breaker per model of a service. A forked child creates its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clients: dict[tuple[int, str, str, RetryPolicy], Client] = {}
        self._breakers: dict[tuple[int, str, _Model], CircuitBreaker] = {}

    def get(self, policy: RetryPolicy) -> Client:
        env = settings.ENV
        key = (os.getpid(), env.embeddings_url, env.embeddings_url_token, policy)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = Client(env.embeddings_url, token=env.embeddings_url_token, retry_policy=policy)
            return self._clients[key]

    def breaker(self, model: _Model) -> CircuitBreaker:
        """Return the circuit breaker of a model: a slow reranker does not keep queries from being embedded.

        Half of the threads may wait long for embeddings, and a quarter for the reranker.
        """
        key = (os.getpid(), settings.ENV.embeddings_url, model)
        with self._lock:
            if key not in self._breakers:
                limit = max(1, settings.ENV.web_threads // (2 if model == "embedding" else 4))
                self._breakers[key] = CircuitBreaker(max_long_waits=limit, probe_interval_s=_PROBE_INTERVAL_S)
            return self._breakers[key]

    def close(self) -> None:
        """Close the connections of this process, but not those inherited from its parent."""
        with self._lock:
            for (pid, *_), client in self._clients.items():
                if pid == os.getpid():
                    client.close()
            self._clients.clear()


_clients = _Clients()
atexit.register(_clients.close)


def embed(inputs: Sequence[str], *, task: Task, at: str) -> EmbeddingResult:
    """Return one multi-vector for each input, in order. Images are base64; `at` is the JSON pointer of the inputs."""
    if task == "query":
        return embed_queries(inputs, at=at)
    places = [f"{at}/{number}" for number in range(len(inputs))]
    pages = _reencode([base64_input.decode(text, at=place) for text, place in zip(inputs, places, strict=True)], places)
    return _call_interactively(lambda client: client.embed_pages(pages), at=at)


def embed_queries(texts: Sequence[str], *, at: str) -> EmbeddingResult:
    """Embed text queries; `at` is their JSON pointer in the request."""
    return _call_interactively(lambda client: client.embed_queries(texts), at=at, short_wait=_FAIL_FAST)


def embed_query(text: str, *, at: str, fail_fast: bool = False) -> EmbeddedQuery:
    """Embed one text query."""
    return _only(
        _call_interactively(
            lambda client: client.embed_queries([text]),
            at=at,
            is_list=False,
            fail_fast=fail_fast,
            short_wait=_FAIL_FAST,
        )
    )


def embed_image_query(image: bytes, *, at: str, fail_fast: bool = False) -> EmbeddedQuery:
    """Embed one image that is a query, in any format that documents may have."""
    (page,) = _reencode([image], [at])
    return _only(
        _call_interactively(lambda client: client.embed_pages([page]), at=at, is_list=False, fail_fast=fail_fast)
    )


def embed_pages_for_index(
    images: Sequence[bytes], *, at: str, words: Sequence[Sequence[Word] | None]
) -> tuple[VectorSpace, list[MultiVector]]:
    """Embed pages with their layout, in the background; return them with their space."""
    result = _call(lambda client: client.embed_pages(images, words=words, with_layout=True), at=at, policy=_BACKGROUND)
    return _storable_space(result), result.multi_vectors


def rerank(query: str, texts: Sequence[str], *, at: str, until: float, fail_fast: bool = False) -> RerankResult:
    """Score at least one text for a query; `at` is the query's JSON pointer, `until` is on the monotonic clock."""

    def call(client: Client) -> RerankResult:
        try:
            return client.rerank(query, texts, until=until)
        except InputRejected as error:
            if error.index is None:
                raise
            # The texts are ours, so the caller can do nothing about it.
            raise InvalidResponse(error.detail) from error

    return _call_interactively(call, at=at, is_list=False, fail_fast=fail_fast, short_wait=_FAIL_FAST, model="reranker")


def current_space() -> VectorSpace:
    """Ask the service for its vector space, in the background."""
    return _storable_space(_call(lambda client: client.embed_queries(["page"]), at="", policy=_BACKGROUND))


def is_available() -> bool:
    """Check whether the service embeds a query."""
    try:
        _storable_space(_call(lambda client: client.embed_queries(["page"]), at="", policy=_PROBE))
    except Unavailable:
        return False
    return True


def _reencode(images: Sequence[bytes], places: Sequence[str]) -> list[bytes]:
    """Return the images as our own encoder writes them; the service never gets bytes that a client has sent."""
    env = settings.ENV
    deadline = time.monotonic() + _IMAGES_S
    pages = []
    for image, place in zip(images, places, strict=True):
        left_s = max(0, math.ceil(deadline - time.monotonic()))
        limits = RenderLimits(
            megapixels=env.render_megapixels,
            source_megapixels=_MAX_IMAGE_MEGAPIXELS,
            memory_mb=min(env.render_memory_mb, _IMAGE_MEMORY_MB),
            page_s=left_s,
            total_s=left_s,
            sandbox_required=env.render_sandbox == "required",
        )
        try:
            pages.append(query_image.reencode(image, limits=limits))
        except Unavailable:
            raise
        except Error as error:
            raise type(error)(error.detail, problems=(Problem(place, error.code, error.detail),)) from error
    return pages


def _only(result: EmbeddingResult) -> EmbeddedQuery:
    (multi_vector,) = result.multi_vectors
    return EmbeddedQuery(_storable_space(result), multi_vector.vectors)


def _storable_space(result: EmbeddingResult) -> VectorSpace:
    """Return the space of the vectors, if its columns can store it."""
    space = result.space
    if space is None or any(
        len(name) > _MAX_SPACE_NAME_LENGTH or "\0" in name for name in (space.model, space.revision)
    ):
        log.error("embeddings_untrustworthy", error="The service gives its model a name that cannot be stored.")
        raise EmbeddingsUntrustworthy(retry_after_s=30)
    return space


def _call_interactively(
    operation: Callable[[Client], T],
    *,
    at: str,
    is_list: bool = True,
    fail_fast: bool = False,
    short_wait: RetryPolicy = _INTERACTIVE,
    model: _Model = "embedding",
) -> T:
    """Call the service through the circuit breaker. `short_wait` applies when the long waits are taken."""
    breaker = _clients.breaker(model)
    with breaker.admit(fail_fast=fail_fast) as budget:
        if budget is WaitBudget.NONE:
            raise EmbeddingsUnavailable(retry_after_s=5)
        policy = _INTERACTIVE if budget is WaitBudget.LONG else short_wait
        try:
            result = _call(operation, at=at, is_list=is_list, policy=policy)
        except EmbeddingsUnavailable:
            breaker.failed()
            raise
    breaker.succeeded()
    return result


def _call(operation: Callable[[Client], T], *, at: str, is_list: bool = True, policy: RetryPolicy) -> T:
    try:
        return operation(_clients.get(policy))
    except InputRejected as error:
        pointer = at if error.index is None or not is_list else f"{at}/{error.index}"
        problem = Problem(pointer, InputNotEmbeddable.code, error.detail)
        raise InputNotEmbeddable(problems=(problem,)) from error
    except NoReranker as error:
        raise RerankerMissing from error
    except ServiceUnavailable as error:
        log.warning("embeddings_unavailable", error=error.detail)
        raise EmbeddingsUnavailable(retry_after_s=error.retry_after_s or 5) from error
    except ClientError as error:
        # The operator has to fix this; the client of the API gets no details.
        log.error("embeddings_untrustworthy", error=error.detail)
        raise EmbeddingsUntrustworthy(retry_after_s=30) from error
