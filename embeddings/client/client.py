"""Asks an embeddings service, near or far, and believes only what it has checked.

with Client("http://localhost:8000", token="secret") as client:
    asked = client.queries(["total amount due"])
    pages = client.pages([png], words=[[Word("Total", 0.1, 0.1, 0.2, 0.2)]], with_layout=True)
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from embeddings.client.checks import check_space, checked
from embeddings.client.errors import (
    AccessDenied,
    ClientError,
    OtherSpace,
    Rejected,
    ServiceUnavailable,
    TooLarge,
    Untrustworthy,
)
from embeddings.client.retries import Patience
from embeddings.client.transports import transport_for
from embeddings.contract import MultiVector, Space, Word

__all__ = [
    "AccessDenied",
    "Client",
    "ClientError",
    "Embedded",
    "OtherSpace",
    "Patience",
    "Rejected",
    "ServiceUnavailable",
    "TooLarge",
    "Untrustworthy",
]

MOST_PAGES = 8
MOST_QUERIES = 32
MOST_CHUNK_BYTES = 8 * 1024 * 1024
_PATIENCE = Patience()


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Multi-vectors in the order of the inputs, and the space they lie in; none were made for no inputs."""

    space: Space | None
    multi_vectors: list[MultiVector]


class Client:
    """Safe to use from many threads. `expected` is the space that answers must lie in."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        transport: Literal["auto", "http", "runpod"] = "auto",
        expected: Space | None = None,
        patience: Patience = _PATIENCE,
    ) -> None:
        self.expected = expected
        self._transport = transport_for(url, token=token, patience=patience, kind=transport)

    def queries(self, texts: Sequence[str]) -> Embedded:
        """Questions in words."""
        return self._all([(text, len(text.encode())) for text in texts], kind="text", most=MOST_QUERIES, extras={})

    def pages(
        self,
        images: Sequence[bytes],
        *,
        words: Sequence[Sequence[Word] | None] | None = None,
        with_layout: bool = False,
    ) -> Embedded:
        """Page images, with the words on each where they are known. An image that is a question goes here too."""
        given = words if words is not None else [None] * len(images)
        inputs = [_page(image, known) for image, known in zip(images, given, strict=True)]
        extras = {"include": ["layout"]} if with_layout else {}
        return self._all(inputs, kind="image", most=MOST_PAGES, extras=extras)

    def _all(self, inputs: Sequence[tuple[Any, int]], *, kind: str, most: int, extras: dict[str, Any]) -> Embedded:
        space: Space | None = None
        found: list[MultiVector] = []
        for chunk in _chunks(inputs, most=most):
            embedded = self._chunk([content for content, _ in chunk], kind=kind, extras=extras, first=len(found))
            if embedded.space is not None:
                # With no space expected, the first answer says what the others must be.
                check_space(embedded.space, expected=space or self.expected)
                space = embedded.space
            found += embedded.multi_vectors
        return Embedded(space, found)

    def _chunk(self, contents: list[Any], *, kind: str, extras: dict[str, Any], first: int) -> Embedded:
        """One request; halved, and halved again, while the service says that it is too large."""
        try:
            answer = self._transport.send({"input_type": kind, "inputs": contents, **extras})
        except TooLarge as problem:
            if len(contents) == 1:
                raise TooLarge(problem.detail, index=first) from problem
        except Rejected as problem:
            index = None if problem.index is None else first + problem.index
            raise Rejected(problem.detail, index=index) from problem
        else:
            vectors = checked(answer.embedded, count=len(contents))
            dim = vectors[0].vectors.shape[1]
            if answer.dim not in ("", str(dim)):
                raise Untrustworthy(f"The service says that it answers in {answer.dim} dimensions; these are {dim}.")
            return Embedded(Space(answer.model, answer.revision, dim), vectors)
        middle = len(contents) // 2
        left = self._chunk(contents[:middle], kind=kind, extras=extras, first=first)
        right = self._chunk(contents[middle:], kind=kind, extras=extras, first=first + middle)
        if left.space is not None and right.space is not None:
            check_space(right.space, expected=left.space)
        return Embedded(left.space, left.multi_vectors + right.multi_vectors)

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _page(image: bytes, words: Sequence[Word] | None) -> tuple[Any, int]:
    """An image as it is sent, and its size. Plain base64 where there are no words: every service reads that."""
    coded = base64.b64encode(image).decode()
    if words is None:
        return coded, len(coded)
    return {"image": coded, "words": words}, len(coded) + 100 * len(words)


def _chunks(inputs: Sequence[tuple[Any, int]], *, most: int) -> Iterator[list[tuple[Any, int]]]:
    chunk: list[tuple[Any, int]] = []
    for one in inputs:
        if chunk and (len(chunk) == most or sum(size for _, size in chunk) + one[1] > MOST_CHUNK_BYTES):
            yield chunk
            chunk = []
        chunk.append(one)
    if chunk:
        yield chunk
