"""Changes of what is being processed, as server-sent events: pages that show it then ask for themselves again."""

from collections.abc import Iterator
from typing import ClassVar

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.access import Caller
from collections_app.api.events import RECONNECT_MS, event_stream
from collections_app.ingest import progress
from console.access import is_still_signed_in
from console.views.base import ConsoleView
from paliapi.database import release_connection

# That a reader has left shows when something is written, and until then the stream holds one of few slots.
_HEARTBEAT_S = 2.0

log = structlog.get_logger(__name__)


class Events(ConsoleView):
    costs: ClassVar = {"GET": 2}
    http_method_names = ["get"]
    transactional = False  # a stream lasts long, and must see every change

    def get(self, _request: Request) -> HttpResponseBase:
        return event_stream(self.caller, _events(self.http_request, self.caller))


def _events(request: HttpRequest, caller: Caller) -> Iterator[bytes]:
    yield f"retry: {RECONNECT_MS}\n\n".encode()
    known = request.headers.get("Last-Event-ID", "")
    try:
        for mark in progress.follow_account(caller, timeout_s=settings.ENV.stream_s, heartbeat_s=_HEARTBEAT_S):
            allowed = is_still_signed_in(request, caller)
            release_connection()  # a slow client must not hold a connection
            if not allowed:
                return
            if mark is None or mark == known:
                yield b": still here\n\n"
            else:
                yield f"id: {mark}\nevent: change\ndata: {mark}\n\n".encode()
            known = ""
    except DatabaseError as error:
        log.warning("stream_broke_off", error=type(error).__name__)  # the browser connects again
