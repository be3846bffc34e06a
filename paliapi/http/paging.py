"""Lists that page as GitHub's do: a bare array, and `Link` headers to what comes next.

A page begins after the last id of the one before, so rows that come or go meanwhile are neither doubled nor skipped.
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
    title = "The cursor is not one of ours, or belongs to another list."


class InvalidLimit(Invalid):
    code = "invalid_limit"
    title = "The limit is not a whole number within the allowed range."


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one answer and the headers that lead to the next."""

    rows: list[Row]
    headers: dict[str, str]


def paginate(request: Request, rows: QuerySet[Row], *, newest_first: bool = False) -> Page[Row]:
    """One page of `rows` in the order of their ids, as `?limit=` and `?cursor=` ask."""
    most = settings.ENV.max_list
    limit = _limit(request.query_params.get("limit"), most)
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        last_id = _after(cursor, request)
        rows = rows.filter(pk__lt=last_id) if newest_first else rows.filter(pk__gt=last_id)
    found = list(rows.order_by("-pk" if newest_first else "pk")[: limit + 1])
    if len(found) <= limit:
        return Page(found, {})
    found = found[:limit]
    query = {**request.query_params.dict(), "limit": str(limit), "cursor": _cursor(found[-1].pk, request)}
    return Page(found, {"Link": f'<{request.build_absolute_uri(request.path)}?{urlencode(query)}>; rel="next"'})


def _limit(text: str | None, most: int) -> int:
    if text is None:
        return most
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        detail = f"limit must be a whole number from 1 to {most}."
        raise InvalidLimit(detail, problems=(Problem("/limit", InvalidLimit.code, detail),))
    return int(text)


def _which_list(request: Request) -> str:
    """A cursor is only good for the list it came from: same caller, same address, same filters."""
    others = sorted((key, value) for key, value in request.query_params.items() if key not in {"cursor", "limit"})
    told = repr((getattr(request.auth, "owner_id", None), request.path, others, dict(request.data or {})))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _cursor(last_id: int, request: Request) -> str:
    return signing.dumps([last_id, _which_list(request)], salt=_SALT)


def _after(cursor: str, request: Request) -> int:
    try:
        last_id, which = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidCursor from None
    if which != _which_list(request) or not isinstance(last_id, int):
        raise InvalidCursor
    return last_id
