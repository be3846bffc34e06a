"""Errors from responses."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from paliapi_client.errors import APIError, Problem, UnexpectedAnswer, kind_of
from paliapi_client.flows.steps import Response

MAX_RETRY_AFTER_S = 24 * 3600.0


def error_of(response: Response) -> APIError | UnexpectedAnswer:
    """Return the error that a response reports."""
    status = response.status
    if 300 <= status < 400:
        place = response.headers.get("location", "an unknown place")
        return UnexpectedAnswer(
            f"The server redirects to {place[:200]!r}; redirects are not followed. Is the URL right?"
        )
    try:
        body = response.json()
    except UnexpectedAnswer:
        body = None
    if not isinstance(body, dict):
        body = {}
    code, detail = body.get("code"), body.get("detail")
    request_id = body.get("request_id") or response.headers.get("x-request-id")
    code = code if isinstance(code, str) else f"http_{status}"
    detail = detail if isinstance(detail, str) else f"The server answered with status {status}"
    return kind_of(status, code)(
        status,
        code,
        detail,
        request_id=request_id if isinstance(request_id, str) else None,
        errors=_problems(body.get("errors")),
        retry_after=retry_after_of(response),
    )


def retry_after_of(response: Response) -> float | None:
    """Return the seconds of `Retry-After`, which may be a date."""
    text = response.headers.get("retry-after")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        seconds = (moment - datetime.now(timezone.utc)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else None


def _problems(places: object) -> list[Problem]:
    if not isinstance(places, list):
        return []
    problems = (place for place in places if isinstance(place, dict))
    return [Problem(*(str(place.get(name, "")) for name in ("pointer", "code", "detail"))) for place in problems]
