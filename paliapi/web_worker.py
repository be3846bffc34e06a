"""gunicorn's worker with threads, with three things more.

A request that comes while all threads are busy waits in a queue without an end. The application is told how long it
waited, and can refuse what is too old, instead of answering everybody later and later.

What cannot be read as a request never comes to the application. It is refused in the form of every other failure.

Searches take and give back arrays of all sizes in every thread. The C library would hold a heap ready for each, half
empty; two are enough where one thread at a time runs Python.
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
_M_ARENA_MAX = -8  # malloc.h of glibc; other libraries have no such heaps
_HEAPS = 2
_OUR_FAULT = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)

_Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """The seconds are in the WSGI environment, under WAITED_S."""

    wsgi: _Application

    def init_process(self) -> None:
        share_heaps()
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._of_this_thread = local()
        application = self.wsgi

        def timed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            environ[WAITED_S] = self._of_this_thread.waited_s
            return application(environ, start_response)

        self.wsgi = timed

    def enqueue_req(self, conn: TConn) -> None:
        conn.queued_at = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        # Measured before anything is read: a client that is slow to ask has not waited for us.
        self._of_this_thread.waited_s = time.monotonic() - conn.queued_at
        return super().handle(conn)

    def handle_error(self, req: Any, client: socket, addr: Any, exc: Exception) -> None:
        if not isinstance(exc, errors.ParseException) or isinstance(exc, _OUR_FAULT):
            super().handle_error(req, client, addr, exc)
            return
        from paliapi.http.problems import refusal  # noqa: PLC0415 - gunicorn imports this module before there are settings

        request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        answer = refusal(_CODES.get(type(exc), "malformed_request"))
        answer["X-Request-ID"] = request_id
        answer["Content-Length"] = str(len(answer.content))
        answer["Connection"] = "close"
        log.info("request_refused", reason=type(exc).__name__, status=answer.status_code)
        head = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\n".encode()
        with suppress(OSError):  # who sends such things may be gone
            client.sendall(head + answer.serialize())


def share_heaps() -> None:
    """Threads that are started from now on share a few heaps."""
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(_M_ARENA_MAX, _HEAPS)
