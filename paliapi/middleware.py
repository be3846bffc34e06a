"""Behaviour of every request, whichever view handles it."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from paliapi import metrics
from paliapi.database import statement_limit_s
from paliapi.errors import Error, Overloaded
from paliapi.http.client_address import client_address
from paliapi.http.problems import error_response, refusal
from paliapi.http.response_headers import add_response_headers
from paliapi.web_server.worker import WAITED_S

GetResponse = Callable[[HttpRequest], HttpResponseBase]

log = structlog.get_logger(__name__)

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{8,64}")
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"}
# Longer than any path of ours, whose names have at most 255 characters. Routes are matched slowly against long paths.
_MAX_PATH_LENGTH = 1000
_UNLOGGED_PATHS = {"/livez", "/readyz", "/metrics", "/v1/health/"}

# The HTML pages (Swagger UI, error codes, admin) load only local files.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def choose_request_id(request: HttpRequest) -> str:
    """Return the client's trace id if it sends a valid one, else its request id, else a new id."""
    if match := _TRACEPARENT.fullmatch(request.headers.get("traceparent", "")):
        return match.group(1)
    sent = request.headers.get("X-Request-ID", "")
    return sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


class RequestContext:
    """Gives each request an id for the log, the response and error bodies; logs and measures the request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = choose_request_id(request)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        statement_limit_s.set(settings.ENV.write_timeout_s)
        response = self._respond(request)
        add_response_headers(request, response)
        response["X-Request-ID"] = request_id
        self._record(request, response, time.perf_counter() - started)
        return response

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Convert errors raised by plain Django views, such as the admin's."""
        return error_response(exception) if isinstance(exception, Error) else None

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if chunked and "Content-Length" not in request.headers:
            return refusal("length_required")
        if len(request.path_info) > _MAX_PATH_LENGTH:
            return refusal("address_too_long")
        if request.META.get(WAITED_S, 0) > settings.ENV.web_queue_s and request.path not in _UNLOGGED_PATHS:
            # Its client may have given up; newer requests make better use of the time.
            return error_response(Overloaded(retry_after_s=settings.ENV.web_queue_s))
        return self.get_response(request)

    def _record(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        match = request.resolver_match
        operation = (match.view_name or match.route) if match else "none"
        # A client chooses its method, and every value of a label is stored for as long as the process runs.
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(operation, method, str(response.status_code)).inc()
        metrics.request_seconds.labels(operation).observe(seconds)
        if request.path not in _UNLOGGED_PATHS:
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
                operation=operation,
                address=client_address(request),
            )


class SecurityHeaders:
    """Adds strict security headers, unless a view has set its own."""

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
    """Treats `POST /v1/collections` as `/v1/collections/`, without a redirect, which would lose the body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path.startswith("/v1/") and not path.endswith("/") and not _known(path) and _known(f"{path}/"):
            request.path_info = f"{path}/"
            request.path = f"{request.path}/"
        return self.get_response(request)


def _known(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
