"""Error responses. This module alone maps the kind of an error to an HTTP status.

Every error response is problem+json (RFC 9457), also when no view is reached: unknown URLs, unknown hosts, CSRF.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from psycopg.errors import QueryCanceled
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from paliapi.errors import (
    MAX_PROBLEMS,
    Conflict,
    Error,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    Problem,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unparsable,
    catalogue,
    kind_of,
)

log = structlog.get_logger(__name__)

# A detail may quote the request; a longer one is cut.
MAX_DETAIL_LENGTH = 1000

STATUS: dict[type[Error], int] = {
    Unparsable: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    TooLarge: 413,
    Invalid: 422,
    LimitReached: 429,
    Unavailable: 503,
}

# Refusals without an `Error` class: the status and title of each code.
_REFUSALS: dict[str, tuple[int, str]] = {
    "address_too_long": (414, "The URL is too long."),
    "bad_host": (400, "Unknown host name."),
    "csrf_failed": (403, "The form has expired; reload the page."),
    "headers_too_large": (431, "The request headers are too large."),
    "incomplete_body": (400, "The connection ended before the whole body was received."),
    "internal_error": (500, "Internal server error."),
    "length_required": (411, "A request body needs a Content-Length header."),
    "malformed_request": (400, "Malformed HTTP request."),
    "method_not_allowed": (405, "Method not allowed."),
    "request_timeout": (408, "The request was not received in time."),
    "unsupported_media_type": (415, "Unsupported media type: send JSON, or a form where one is accepted."),
}

# Errors of the framework: the class, code and title.
_FRAMEWORK: tuple[tuple[type[exceptions.APIException], str, str], ...] = (
    (exceptions.ParseError, "unparsable", Unparsable.title),
    (exceptions.NotAuthenticated, "unauthenticated", Unauthenticated.title),
    (exceptions.AuthenticationFailed, "unauthenticated", Unauthenticated.title),
    (exceptions.PermissionDenied, "forbidden", Forbidden.title),
    (exceptions.NotFound, "not_found", NotFound.title),
    (exceptions.MethodNotAllowed, "method_not_allowed", _REFUSALS["method_not_allowed"][1]),
    (exceptions.UnsupportedMediaType, "unsupported_media_type", _REFUSALS["unsupported_media_type"][1]),
)


class TookTooLong(Unavailable):
    code = "took_too_long"
    title = "The request took too long; ask for less at once."


def problem_response(
    *,
    status: int,
    code: str,
    title: str,
    detail: str = "",
    problems: tuple[Problem, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    """Return an error response."""
    body: dict[str, Any] = {
        "type": f"/v1/docs/errors#{code}",
        "title": title,
        "status": status,
        "detail": _shorten(detail or title),
        "code": code,
        "errors": [
            {"pointer": problem.pointer, "code": problem.code, "detail": _shorten(problem.detail)}
            for problem in problems[:MAX_PROBLEMS]
        ],
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    response = JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)
    if status == STATUS[Unauthenticated]:
        response["WWW-Authenticate"] = 'Bearer realm="PaliAPI"'
    return response


def _shorten(detail: str) -> str:
    return detail if len(detail) <= MAX_DETAIL_LENGTH else f"{detail[: MAX_DETAIL_LENGTH - 3]}..."


def refusal(code: str, *, detail: str = "") -> JsonResponse:
    """Return an error response for a code without an `Error` class."""
    status, title = _REFUSALS[code]
    return problem_response(status=status, code=code, title=title, detail=detail)


def refusal_code(status: int) -> str:
    """Return the code of a status that has no `Error` class."""
    return next(code for code, (number, _) in _REFUSALS.items() if number == status)


def codes() -> list[tuple[str, int, str]]:
    """Return every error code with its status and title."""
    raised = [(error.code, STATUS[kind_of(error)], error.title) for error in catalogue()]
    return sorted(raised + [(code, status, title) for code, (status, title) in _REFUSALS.items()])


def error_response(error: Error) -> JsonResponse:
    """Return the response for an error."""
    headers = dict(error.headers)
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    return problem_response(
        status=STATUS[kind_of(error)],
        code=error.code,
        title=error.title,
        detail=error.detail,
        problems=error.problems,
        headers=headers,
    )


def exception_handler(exc: Exception, _context: dict[str, Any]) -> HttpResponse | None:
    """Return the response for an exception raised in a view, or None if it is unexpected."""
    if isinstance(exc, Error):
        return error_response(exc)
    if isinstance(exc, exceptions.ValidationError):
        return error_response(invalid(exc))
    if isinstance(exc, Http404):
        return error_response(NotFound())
    if isinstance(exc, PermissionDenied):
        return error_response(Forbidden())
    if isinstance(exc, exceptions.APIException):
        return _framework_error_response(exc)
    if isinstance(exc, OperationalError | QueryCanceled):
        return error_response(_database_error(exc))
    return None


def _database_error(exc: Exception) -> Unavailable:
    cause = exc.__cause__ or exc
    if isinstance(cause, QueryCanceled):
        log.warning("statement_timed_out")
        return TookTooLong()
    log.warning("database_unavailable", error=type(cause).__name__)
    return Unavailable("The database is unavailable.", retry_after_s=5)


def _framework_error_response(exc: exceptions.APIException) -> HttpResponse:
    for cls, code, title in _FRAMEWORK:
        if isinstance(exc, cls):
            response = problem_response(status=exc.status_code, code=code, title=title)
            if isinstance(exc, exceptions.UnsupportedMediaType):
                response["Accept-Post"] = "application/json"
            return response
    return problem_response(status=exc.status_code, code=exc.default_code, title=str(exc.default_detail))


def invalid(exc: exceptions.ValidationError) -> Invalid:
    """Convert a serializer's error, with a JSON pointer for each of the first invalid fields."""
    problems = tuple(islice(_flatten(exc.detail, ""), MAX_PROBLEMS))
    first = problems[0] if problems else None
    field = f"{first.pointer.removeprefix('/').replace('/', '.')}: " if first and first.pointer else ""
    return Invalid(f"{field}{first.detail}" if first else "", problems=problems)


def _flatten(detail: Any, pointer: str) -> Iterator[Problem]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            child = pointer if key == "non_field_errors" else f"{pointer}/{escape_pointer(str(key))}"
            yield from _flatten(value, child)
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list | tuple)
            yield from _flatten(value, f"{pointer}/{index}" if nested and value else pointer)
    else:
        yield Problem(pointer, str(getattr(detail, "code", "invalid")), str(detail))


def escape_pointer(name: str) -> str:
    """Escape a key for use in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


# --- Handlers for requests that reach no view --------------------------------------------------------------------


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return error_response(TooLarge())
    if isinstance(exception, DisallowedHost):
        return refusal("bad_host")
    title = Unparsable.title if isinstance(exception, SuspiciousOperation) else "Malformed request."
    return problem_response(status=400, code="unparsable", title=title)


def permission_denied(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django names it)
    return error_response(Forbidden())


def page_not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  (Django names it)
    return error_response(NotFound("There is no such URL."))


def server_error(_request: HttpRequest) -> HttpResponse:
    exc = sys.exc_info()[1]
    if isinstance(exc, OperationalError | QueryCanceled):
        return error_response(_database_error(exc))
    log.error("unhandled_error", exc_info=exc)
    return refusal("internal_error", detail="The log has the details, under the request id.")


def csrf_failure(_request: HttpRequest, reason: str = "") -> HttpResponse:
    return refusal("csrf_failed", detail=reason)


class AlwaysJSON(BaseContentNegotiation):
    """Responds with JSON whatever the Accept header says, and parses a body by its content type."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(  # type: ignore[override]
        self, _request: Request, renderers: list[BaseRenderer], _format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type or "application/json"
