"""The client: splits inputs into requests, and returns only checked vectors."""

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from embeddings.client.checks import check_multi_vectors, check_scores, check_space
from embeddings.client.errors import InputRejected, InputTooLarge, InvalidResponse, NoReranker, NotSupported
from embeddings.client.retries import RetryPolicy
from embeddings.client.transports import Transport, transport_for
from embeddings.contract import CROSS_ENCODER, MultiVector, VectorSpace, Word

MAX_PAGES_PER_REQUEST = 8
MAX_QUERIES_PER_REQUEST = 32
MAX_TEXTS_PER_REQUEST = 64
MAX_REQUEST_BYTES = 8 * 1024 * 1024
_MAX_NAME = 200
_DEFAULT_POLICY = RetryPolicy()


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingResult:
    """Multi-vectors in the order of the inputs, and their space; None if there were no inputs."""

    space: VectorSpace | None
    multi_vectors: list[MultiVector]


@dataclass(frozen=True, slots=True)
class RerankResult:
    """The relevance of each text, from 0 to 1, in their order, and the reranker."""

    model: str
    revision: str
    scores: list[float]


@dataclass(frozen=True, slots=True, eq=False)
class _EncodedInput:
    """An input as it is sent, and its approximate size in bytes."""

    content: Any
    size: int


class Client:
    """A client of one service, safe to use from many threads.

    With `expected_space`, vectors of any other space raise SpaceMismatch.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        transport: Literal["auto", "http", "runpod"] = "auto",
        expected_space: VectorSpace | None = None,
        retry_policy: RetryPolicy = _DEFAULT_POLICY,
    ) -> None:
        self.expected_space = expected_space
        self._transport: Transport = transport_for(url, token=token, policy=retry_policy, kind=transport)

    def embed_queries(self, texts: Sequence[str]) -> EmbeddingResult:
        """Embed text queries."""
        inputs = [_EncodedInput(text, len(text.encode())) for text in texts]
        return self._embed(inputs, kind="text", limit=MAX_QUERIES_PER_REQUEST, options={})

    def embed_pages(
        self,
        images: Sequence[bytes],
        *,
        words: Sequence[Sequence[Word] | None] | None = None,
        with_layout: bool = False,
    ) -> EmbeddingResult:
        """Embed page images, or images used as queries; `words` are the words on each page, where known."""
        words_of_pages = words if words is not None else [None] * len(images)
        inputs = [_encode_page(image, on_page) for image, on_page in zip(images, words_of_pages, strict=True)]
        options = {"include": ["layout"]} if with_layout else {}
        return self._embed(inputs, kind="image", limit=MAX_PAGES_PER_REQUEST, options=options)

    def rerank(self, query: str, texts: Sequence[str], *, until: float = math.inf) -> RerankResult:
        """Score at least one text by the service's reranker, or raise NoReranker.

        `until`, on the monotonic clock, is a deadline for all requests together.
        """
        inputs = [_EncodedInput(text, len(text.encode())) for text in texts]
        results = [
            result
            for batch in _batches(inputs, limit=MAX_TEXTS_PER_REQUEST)
            for result in self._rerank_batch(query, [encoded.content for encoded in batch], until=until)
        ]
        if len({(result.model, result.revision) for result in results}) != 1:
            raise InvalidResponse("The texts were scored by different rerankers.")
        scores = [score for result in results for score in result.scores]
        return RerankResult(results[0].model, results[0].revision, scores)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _embed(
        self, inputs: Sequence[_EncodedInput], *, kind: str, limit: int, options: dict[str, Any]
    ) -> EmbeddingResult:
        space: VectorSpace | None = None
        multi_vectors: list[MultiVector] = []
        for batch in _batches(inputs, limit=limit):
            contents = [encoded.content for encoded in batch]
            result = self._embed_batch(contents, kind=kind, options=options, offset=len(multi_vectors))
            if result.space is not None:
                # Without an expected space, the first batch determines it.
                check_space(result.space, expected=space or self.expected_space)
                space = result.space
            multi_vectors += result.multi_vectors
        return EmbeddingResult(space, multi_vectors)

    def _embed_batch(self, contents: list[Any], *, kind: str, options: dict[str, Any], offset: int) -> EmbeddingResult:
        """Send one request, and halve it for as long as the service says that it is too large."""
        try:
            response = self._transport.send({"input_type": kind, "inputs": contents, **options})
        except InputTooLarge as error:
            if len(contents) == 1:
                raise InputTooLarge(error.detail, index=offset) from error
        except InputRejected as error:
            index = None if error.index is None else offset + error.index
            raise InputRejected(error.detail, index=index) from error
        else:
            multi_vectors = check_multi_vectors(response.multi_vectors, count=len(contents))
            dim = multi_vectors[0].vectors.shape[1]
            if response.dim not in ("", str(dim)):
                raise InvalidResponse(f"The service announced {response.dim} dimensions, but the vectors have {dim}.")
            return EmbeddingResult(VectorSpace(response.model, response.revision, dim), multi_vectors)
        middle = len(contents) // 2
        left = self._embed_batch(contents[:middle], kind=kind, options=options, offset=offset)
        right = self._embed_batch(contents[middle:], kind=kind, options=options, offset=offset + middle)
        if left.space is not None and right.space is not None:
            check_space(right.space, expected=left.space)
        return EmbeddingResult(left.space, left.multi_vectors + right.multi_vectors)

    def _rerank_batch(self, query: str, texts: list[str], *, until: float) -> list[RerankResult]:
        """Send one request, and halve it for as long as the service says that it is too large."""
        try:
            content = self._transport.rerank({"query": query, "documents": texts, "method": CROSS_ENCODER}, until=until)
        except NotSupported as error:
            raise NoReranker(error.detail) from error
        except InputTooLarge:
            if len(texts) == 1:
                raise
        else:
            if content.get("method") != CROSS_ENCODER:
                # Older services know no methods and rank by MaxSim.
                raise NoReranker("The service is too old to rerank.")
            scores = check_scores(content, count=len(texts))
            return [RerankResult(_name(content, "model"), _name(content, "revision"), scores)]
        middle = len(texts) // 2
        return [
            *self._rerank_batch(query, texts[:middle], until=until),
            *self._rerank_batch(query, texts[middle:], until=until),
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _name(content: dict[str, Any], field: str) -> str:
    return str(content.get(field) or "")[:_MAX_NAME]


def _encode_page(image: bytes, words: Sequence[Word] | None) -> _EncodedInput:
    """Encode a page. Without words it is plain base64, which every service understands."""
    encoded = base64.b64encode(image).decode()
    if words is None:
        return _EncodedInput(encoded, len(encoded))
    return _EncodedInput({"image": encoded, "words": words}, len(encoded) + 100 * len(words))


def _batches(inputs: Sequence[_EncodedInput], *, limit: int) -> Iterator[list[_EncodedInput]]:
    batch: list[_EncodedInput] = []
    for encoded in inputs:
        if batch and (len(batch) == limit or sum(other.size for other in batch) + encoded.size > MAX_REQUEST_BYTES):
            yield batch
            batch = []
        batch.append(encoded)
    if batch:
        yield batch
