"""Paging like GitHub's: the body is a plain array, and a `Link` header leads to the next page.

A page begins after the last id of the previous one, so rows added or deleted in between are neither repeated nor
skipped.
"""

import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db.models import Model, QuerySet
from rest_framework.request import Request

from paliapi.errors import Invalid, Problem

Row = TypeVar("Row", bound=Model)

_SALT = "paliapi.cursor"


class InvalidCursor(Invalid):
    code = "invalid_cursor"
    title = "The cursor is invalid or belongs to another list."


class InvalidLimit(Invalid):
    code = "invalid_limit"
    title = "The limit is not a whole number within the allowed range."


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one response, and the headers that lead to the next."""

    rows: list[Row]
    headers: dict[str, str]


def paginate(request: Request, rows: QuerySet[Row], *, newest_first: bool = False) -> Page[Row]:
    """Return the page of `rows`, ordered by id, that `?limit=` and `?cursor=` select."""
    limit = _parse_limit(request.query_params.get("limit"))
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        last_id = _parse_cursor(cursor, request)
        rows = rows.filter(pk__lt=last_id) if newest_first else rows.filter(pk__gt=last_id)
    selected = list(rows.order_by("-pk" if newest_first else "pk")[: limit + 1])
    if len(selected) <= limit:
        return Page(selected, {})
    selected = selected[:limit]
    query = {**request.query_params.dict(), "limit": str(limit), "cursor": _cursor(selected[-1].pk, request)}
    return Page(selected, {"Link": f'<{request.build_absolute_uri(request.path)}?{urlencode(query)}>; rel="next"'})


def _parse_limit(text: str | None) -> int:
    max_limit: int = settings.ENV.max_list
    if text is None:
        return max_limit
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= max_limit):
        detail = f"limit must be a whole number from 1 to {max_limit}."
        raise InvalidLimit(detail, problems=(Problem("/limit", InvalidLimit.code, detail),))
    return int(text)


def _list_digest(request: Request) -> str:
    """Return a digest of the owner, URL and filters, to which a cursor is bound."""
    filters = sorted((key, value) for key, value in request.query_params.items() if key not in {"cursor", "limit"})
    identity = repr((getattr(request.auth, "owner_id", None), request.path, filters, dict(request.data or {})))
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _cursor(last_id: int, request: Request) -> str:
    return signing.dumps([last_id, _list_digest(request)], salt=_SALT)


def _parse_cursor(cursor: str, request: Request) -> int:
    try:
        last_id, list_digest = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidCursor from None
    if list_digest != _list_digest(request) or not isinstance(last_id, int):
        raise InvalidCursor
    return last_id
