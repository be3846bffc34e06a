"""Lists, page by page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic
from urllib.parse import parse_qs, urlsplit

from paliapi_client.decoding import decode
from paliapi_client.errors import UnexpectedAnswer
from paliapi_client.flows.steps import Emit, Flow, Listing, Request, Response, T, call

_NEXT = re.compile(r'<([^<>]*)>\s*;\s*rel="?next"?')


@dataclass(frozen=True, slots=True)
class PageOfRows(Generic[T]):
    """Some rows of a list, and where the next ones begin."""

    rows: list[T]
    cursor: str | None


def rows_of(kind: Callable[[Any], T]) -> Callable[[Response], PageOfRows[T]]:
    """Return a reader of pages, each row of which `kind` reads."""

    def read(response: Response) -> PageOfRows[T]:
        rows = response.json()
        if not isinstance(rows, list):
            raise UnexpectedAnswer("The answer is not a list.")
        return PageOfRows([kind(row) for row in rows], _cursor_of(response.headers.get("link", "")))

    return read


def listing(request: Request[PageOfRows[T]]) -> Listing[T]:
    """Return all rows of a list, which is requested page by page as they are needed."""
    return Listing(_each(request))


def of(kind: type[T]) -> Callable[[Any], T]:
    """Return a reader of rows that are a `kind`."""
    return lambda row: decode(kind, row)


def _each(request: Request[PageOfRows[T]]) -> Flow[None]:
    seen: set[str] = set()
    while True:
        page = yield from call(request)
        for row in page.rows:
            yield Emit(row)
        if page.cursor is None:
            return
        if page.cursor in seen:
            raise UnexpectedAnswer("The pages of the list lead back to an earlier one.")
        seen.add(page.cursor)
        request = replace(request, params={**request.params, "cursor": page.cursor})


def _cursor_of(link: str) -> str | None:
    # Only the cursor is taken: a link may lead anywhere.
    if (match := _NEXT.search(link)) is None:
        return None
    cursors = parse_qs(urlsplit(match[1]).query).get("cursor")
    return cursors[0] if cursors else None
