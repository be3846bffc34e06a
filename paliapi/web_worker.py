"""gunicorn's threaded worker with three additions.

- A request that arrives while all threads are busy waits in an unbounded queue. The application learns how long it
  waited and can refuse it, instead of responding later and later to every client.
- A malformed request never reaches the application. It gets an error response of the usual form.
- Searches allocate and free arrays of all sizes in every thread. By default, the C library keeps a half-empty heap for
  each thread; two heaps are enough when only one thread runs Python at a time.
"""

import ctypes
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from socket import socket
from threading import local
from typing import Any, TypeAlias

import structlog
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

log = structlog.get_logger(__name__)

WAITED_S = "paliapi.waited_s"

_CODES = {errors.LimitRequestLine: "address_too_long", errors.LimitRequestHeaders: "headers_too_large"}
_M_ARENA_MAX = -8  # from glibc's malloc.h; other C libraries have no such heaps
_HEAPS = 2
_SERVER_ERRORS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)

_Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class TimedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """Adds the seconds that a request waited to its WSGI environment, as WAITED_S."""

    wsgi: _Application

    def init_process(self) -> None:
        limit_heaps()
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._per_thread = local()
        application = self.wsgi

        def timed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            environ[WAITED_S] = self._per_thread.waited_s
            return application(environ, start_response)

        self.wsgi = timed

    def enqueue_req(self, conn: TConn) -> None:
        conn.queued_at = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        # Measured before reading, so that a slow client does not count as waiting.
        self._per_thread.waited_s = time.monotonic() - conn.queued_at
        return super().handle(conn)

    def handle_error(self, req: Any, client: socket, addr: Any, exc: Exception) -> None:
        if not isinstance(exc, errors.ParseException) or isinstance(exc, _SERVER_ERRORS):
            super().handle_error(req, client, addr, exc)
            return
        from paliapi.http.problems import refusal  # noqa: PLC0415 - gunicorn imports this module before there are settings

        request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = refusal(_CODES.get(type(exc), "malformed_request"))
        response["X-Request-ID"] = request_id
        response["Content-Length"] = str(len(response.content))
        response["Connection"] = "close"
        log.info("request_refused", reason=type(exc).__name__, status=response.status_code)
        head = f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n".encode()
        with suppress(OSError):  # the client may have disconnected
            client.sendall(head + response.serialize())


def limit_heaps() -> None:
    """Make threads that start from now on share a few heaps."""
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(_M_ARENA_MAX, _HEAPS)
