"""gunicorn's worker with threads, which also tells the application how long a request waited for one of them.

A request that comes while all threads are busy waits in a queue without an end. Whoever is told how long it waited can
refuse what is too old, instead of answering everybody later and later.
"""

import time
from collections.abc import Callable, Iterable
from threading import local
from typing import Any, TypeAlias

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

WAITED_S = "paliapi.waited_s"

_Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """The seconds are in the WSGI environment, under WAITED_S."""

    wsgi: _Application

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
