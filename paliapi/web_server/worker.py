"""gunicorn's worker: an event loop receives requests, and threads run the application.

- A request that arrives while all threads are busy waits in an unbounded queue. The application learns how long it
  waited and can refuse it, instead of responding later and later to every client.
- Liveness checks have a thread of their own.
- A malformed request never reaches the application. It gets an error response of the usual form.
- Searches allocate and free arrays of all sizes in every thread. By default, the C library keeps a half-empty heap for
  each thread; two heaps are enough when only one thread runs Python at a time.
"""

import ctypes
import gc
import os
import resource
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeAlias

import structlog
from gunicorn.errors import ConfigError  # type: ignore[import-untyped]
from gunicorn.http import errors, wsgi  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]
from prometheus_client import Counter, Gauge

from paliapi.web_server.clients import Clients
from paliapi.web_server.connection import Connection
from paliapi.web_server.limits import Limits
from paliapi.web_server.output import Output

log = structlog.get_logger(__name__)

WAITED_S = "paliapi.waited_s"

_LIVENESS_PATHS = {"/livez", "/v1/health/"}
_CODES = {errors.LimitRequestLine: "address_too_long", errors.LimitRequestHeaders: "headers_too_large"}
_KEPT_AFTER_STOP_S = 2.0
_REPORT_EVERY_S = 5.0
# How long a thread that computes keeps others waiting, such as the event loop after each system call. Python's default
# is five times as long.
_SWITCH_INTERVAL_S = 0.001
# A garbage collection stops all threads, for longer the more connections there are. Few objects are parts of cycles.
_COLLECT_AFTER_OBJECTS, _OLDER_AFTER = 10_000, 20
_M_ARENA_MAX = -8  # from glibc's malloc.h; other C libraries have no such heaps
_HEAPS = 2

_connections = Gauge("paliapi_connections", "Open connections of clients.", multiprocess_mode="livesum")
_closed = Counter("paliapi_connections_closed", "Connections closed by a time or number limit.", ["reason"])

_Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class BufferingWorker(Worker):  # type: ignore[misc]
    """Adds the seconds that a request waited for a thread to its WSGI environment, as WAITED_S."""

    alive: bool
    wsgi: _Application
    limits = Limits()

    @classmethod
    def check_config(cls, cfg: Any, _log: Any) -> None:
        if cfg.is_ssl:
            raise ConfigError("This worker speaks no TLS; put a proxy in front of it.")

    def init_process(self) -> None:
        limit_heaps()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        descriptors = raise_descriptor_limit()
        limits = replace(self.limits, connections=min(self.limits.connections, descriptors // 2))
        self._clients = Clients(self.cfg, limits, self)
        self._folder = limits.folder
        self._threads = ThreadPoolExecutor(self.cfg.threads, "request")
        self._liveness = ThreadPoolExecutor(1, "liveness")
        self._next_report = 0.0
        super().init_process()

    # --- gunicorn's lifecycle ---------------------------------------------------------------------------------------

    def handle_exit(self, _signal: int, _frame: Any) -> None:
        if self.alive:
            self.alive = False
            self._clients.call(lambda: None)  # wakes the event loop

    def handle_quit(self, sig: int, frame: Any) -> None:
        self._threads.shutdown(wait=False)
        super().handle_quit(sig, frame)

    def run(self) -> None:
        gc.collect()
        gc.freeze()  # the application itself, which no collection needs to traverse again
        gc.set_threshold(_COLLECT_AFTER_OBJECTS, _OLDER_AFTER, _OLDER_AFTER)
        self._clients.listen(self.sockets)
        while self.alive:
            self._turn(within_s=1.0)
            if self.ppid != os.getppid():
                self.log.info("Parent changed, shutting down: %s", self)
                break
        self.alive = False
        self._clients.stop(self.sockets, within_s=_KEPT_AFTER_STOP_S)
        until = time.monotonic() + self.cfg.graceful_timeout
        while len(self._clients) and time.monotonic() < until:
            self._turn(within_s=0.1)
        self._clients.close()
        self._threads.shutdown(wait=False)
        self._liveness.shutdown(wait=False)
        for listener in self.sockets:
            listener.close()

    def _turn(self, *, within_s: float) -> None:
        self.notify()
        self._clients.run_once(within_s)
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + _REPORT_EVERY_S
            self._report()

    def _report(self) -> None:
        _connections.set(len(self._clients))
        if self._clients.closed:
            log.warning("connections_closed", **self._clients.closed)
        for reason, count in self._clients.closed.items():
            _closed.labels(reason).inc(count)
        self._clients.closed.clear()

    # --- What happens to requests -----------------------------------------------------------------------------------

    def handle(self, connection: Connection) -> None:
        connection.queued_at = time.monotonic()
        connection.output = self._output_for(connection)
        threads = self._liveness if connection.request.path in _LIVENESS_PATHS else self._threads
        threads.submit(self._run, connection)

    def admit(self, connection: Connection) -> None:
        self._threads.submit(self._run_admission, connection)

    def refuse(self, connection: Connection, reason: Exception | str) -> None:
        # gunicorn imports this module before there are settings.
        from paliapi.errors import Overloaded  # noqa: PLC0415
        from paliapi.http.problems import error_response, refusal  # noqa: PLC0415

        request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        code = reason if isinstance(reason, str) else _CODES.get(type(reason), "malformed_request")
        overloaded = code == Overloaded.code
        response = error_response(Overloaded(retry_after_s=_KEPT_AFTER_STOP_S)) if overloaded else refusal(code)
        response["X-Request-ID"] = request_id
        response["Content-Length"] = str(len(response.content))
        response["Connection"] = "close"
        named = code if isinstance(reason, str) else type(reason).__name__
        log.info("request_refused", reason=named, status=response.status_code)
        head = f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n".encode()
        connection.output = self._output_for(connection)
        connection.output.sendall(head + response.serialize())
        connection.output.flush()

    def _output_for(self, connection: Connection) -> Output:
        account, clients = f"responses to {connection.peer}", self._clients
        return Output(connection.sock, account=account, memory=clients.memory, room=clients.room, folder=self._folder)

    # --- In a thread ------------------------------------------------------------------------------------------------

    def _run(self, connection: Connection) -> None:
        """Let the application respond to a request."""
        output = connection.output
        if output is None:
            raise AssertionError("There is a place for the response.")
        try:
            self._respond(connection, output)
        except ConnectionError as problem:  # the client has disconnected or is too slow
            log.debug("response_cut_off", error=type(problem).__name__)
            self._clients.call(lambda: self._clients.drop(connection))
        except Exception:
            self.log.exception("Error handling request %s", connection.request.uri)
            after = self._clients.drop if output.begun else self._clients.without_response
            self._clients.call(lambda: after(connection))
        else:
            self._clients.call(lambda: self._clients.responded(connection))

    def _respond(self, connection: Connection, output: Output) -> None:
        began = datetime.now()
        request = connection.request
        response, environ = wsgi.create(request, output, connection.address, connection.server, self.cfg)
        environ["wsgi.multithread"] = True
        environ[WAITED_S] = time.monotonic() - connection.queued_at
        if not (self.alive and connection.keep_alive and self.cfg.keepalive):
            response.force_close()
        parts = self.wsgi(environ, response.start_response)
        output.is_held = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        try:
            if isinstance(parts, environ["wsgi.file_wrapper"]):
                response.write_file(parts)
            else:
                for part in parts:
                    response.write(part)
            response.close()
            output.flush()
        finally:
            self.log.access(response, request, environ, datetime.now() - began)
            if hasattr(parts, "close"):
                parts.close()
        connection.keep_alive = not response.should_close()

    def _run_admission(self, connection: Connection) -> None:
        """Ask the application whether a large body is received, and on whose account."""
        account: str | None = ""
        admits = getattr(self.wsgi, "admits", None)
        if admits is not None:
            try:
                _, environ = wsgi.create(connection.request, None, connection.address, connection.server, self.cfg)
                account = admits(environ)
            except Exception:
                self.log.exception("Error admitting request %s", connection.request.uri)
                account = None
        self._clients.call(lambda: self._clients.admitted(connection, account))


def raise_descriptor_limit() -> int:
    """Allow this process as many open files as the system lets it; return that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS may refuse "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft if soft != resource.RLIM_INFINITY else 1_000_000


def limit_heaps() -> None:
    """Make threads that start from now on share a few heaps."""
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(_M_ARENA_MAX, _HEAPS)
