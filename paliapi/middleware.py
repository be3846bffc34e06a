"""What happens to every request, whichever view answers it."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin

from paliapi import metrics
from paliapi.errors import Error, Unavailable
from paliapi.http.problems import error_response, refusal
from paliapi.http.response_headers import add_response_headers
from paliapi.web_worker import WAITED_S

GetResponse = Callable[[HttpRequest], HttpResponseBase]

log = structlog.get_logger(__name__)

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{8,64}")
_QUIET = {"/livez", "/readyz", "/metrics", "/v1/health/"}

# Our own HTML (Swagger UI, error catalogue, admin) runs from local files alone.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class Overloaded(Unavailable):
    code = "overloaded"
    title = "More is asked than can be answered at the moment; try again."


def request_id_of(request: HttpRequest) -> str:
    """The caller's trace id if it sends a good one, else its request id, else a new one."""
    if found := _TRACEPARENT.fullmatch(request.headers.get("traceparent", "")):
        return found.group(1)
    given = request.headers.get("X-Request-ID", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class RequestContext:
    """One id per request, in the log, in the answer and in error bodies; one log line and one measurement."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = request_id_of(request)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self._answer(request)
        add_response_headers(request, response)
        response["X-Request-ID"] = request_id
        self._tell(request, response, time.perf_counter() - started)
        return response

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Errors of ours that come out of a plain view, as the admin's."""
        return error_response(exception) if isinstance(exception, Error) else None

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if chunked and "Content-Length" not in request.headers:
            return refusal("length_required")
        if request.META.get(WAITED_S, 0) > settings.ENV.web_queue_s and request.path not in _QUIET:
            # Its client may have given up; the time is better spent on those that came just now.
            return error_response(Overloaded(retry_after_s=settings.ENV.web_queue_s))
        return self.get_response(request)

    def _tell(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        match = request.resolver_match
        operation = (match.view_name or match.route) if match else "none"
        metrics.requests.labels(operation, request.method or "", str(response.status_code)).inc()
        metrics.request_seconds.labels(operation).observe(seconds)
        if request.path not in _QUIET:
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
                operation=operation,
            )


class SecurityHeaders:
    """A strict policy on everything; a view that sets its own keeps it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _CSP)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.path.startswith("/v1/"):
            response.headers.setdefault("Cache-Control", "private, no-store")
            response.headers.setdefault("Vary", "Authorization")
        return response


class TolerateMissingSlash:
    """`POST /v1/collections` means `/v1/collections/`, without a redirect that would lose the body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path.startswith("/v1/") and not path.endswith("/") and not _known(path) and _known(f"{path}/"):
            request.path_info = f"{path}/"
            request.path = f"{request.path}/"
        return self.get_response(request)


class _NotForTheAPI(MiddlewareMixin):
    """For pages that people log in to. The API knows keys and nothing else, so its requests pass by."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if request.path_info.startswith("/v1/") else super().__call__(request)


class Sessions(_NotForTheAPI, SessionMiddleware):
    """Those of the admin."""


class Users(_NotForTheAPI, AuthenticationMiddleware):
    """Who is logged in."""


class Messages(_NotForTheAPI, MessageMiddleware):
    """What is told once, on the next page."""


def _known(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
