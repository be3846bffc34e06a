"""Readers of responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from paliapi_client.decoding import decode
from paliapi_client.errors import UnexpectedAnswer
from paliapi_client.flows.steps import Response

T = TypeVar("T")


def one(kind: type[T]) -> Callable[[Response], T]:
    """Return a reader of a single `kind`."""
    return lambda response: decode(kind, response.json())


def versioned(kind: type[T]) -> Callable[[Response], T]:
    """Return a reader of a single `kind` with its `etag`."""
    return lambda response: cast(
        "T", replace(cast("Any", decode(kind, response.json())), etag=response.headers.get("etag"))
    )


def several(kind: type[T]) -> Callable[[Response], list[T]]:
    """Return a reader of a list of `kind`."""

    def read(response: Response) -> list[T]:
        rows = response.json()
        if not isinstance(rows, list):
            raise UnexpectedAnswer("The answer is not a list.")
        return [decode(kind, row) for row in rows]

    return read


def nothing(response: Response) -> None:
    """Read an answer without content."""


def content(response: Response) -> bytes:
    """Read an answer that is a file."""
    return response.body
