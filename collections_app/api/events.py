"""How a document is getting on, as a stream of server-sent events."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from threading import BoundedSemaphore
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error as DatabaseError
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.access import Caller
from accounts.authentication import is_still_valid
from accounts.ownership import acting_for
from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import catalogue
from collections_app.api.documents import NAME
from collections_app.api.errors import StreamsBusy
from collections_app.api.jobs import EXAMPLE_JOB, job
from collections_app.api.parameters import COLLECTION
from collections_app.ingest import progress
from collections_app.ingest.progress import Progress
from collections_app.models import Document, Revision
from paliapi.database import let_go

log = structlog.get_logger(__name__)

_BEAT_S = 15.0
_COME_BACK_MS = 2000
_LONGEST_MARK = 100
_LAST = OpenApiParameter(
    "Last-Event-ID", str, "header", description="The id of the last event you have; its state is not sent again."
)
_EXAMPLE = {"id": "7-1763717412000000-embedding", "event": "progress", "data": json.dumps(EXAMPLE_JOB)}


class EventOut(serializers.Serializer[dict[str, str]]):
    """One event of the stream."""

    id = serializers.CharField(help_text="For `Last-Event-ID`.")
    event = serializers.ChoiceField(["progress", "end"], help_text="`end` is the last one.")
    data = serializers.CharField(help_text="A job, in JSON.")  # type: ignore[assignment]


class Events(OwnedView):
    http_method_names = ["get", "options"]
    query = frozenset({"collection_name"})
    transactional = False  # it lasts, and must not see one moment for ever
    also_answers: ClassVar = {"GET": (409,)}

    @extend_schema(
        operation_id="streamDocumentEvents",
        tags=["documents"],
        summary="Follow how a document is getting on",
        description=(
            "Server-sent events about the newest content: first its state now, then every change. An event `progress` "
            "tells a state on the way, an event `end` the last one; `data` is a job, whose `status` at the end is "
            "`ready`, `failed`, `cancelled`, `superseded` (something newer was sent) or `deleted`. A comment comes "
            "every fifteen seconds. A stream that takes too long ends without `end`: connect again, with "
            "`Last-Event-ID`, as browsers do. Whoever has the end already gets 204. Only so many streams are open at "
            "once (429 for an owner, 503 for a process); asking for the document always works."
        ),
        parameters=[NAME, COLLECTION, _LAST],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                EventOut, examples=[OpenApiExample("On its way", value=_EXAMPLE, response_only=True)]
            ),
            204: None,
        },
    )
    def get(self, request: Request, document_name: str) -> HttpResponseBase:
        where = request.query_params.get("collection_name") or catalogue.DEFAULT_COLLECTION
        with acting_for(self.caller.owner_id) as tx:
            document = catalogue.find_document(tx, self.caller, document_name, collection_name=where)
        known = request.headers.get("Last-Event-ID", "")[:_LONGEST_MARK]
        latest = document.latest
        if latest and known == Progress(latest.status, latest).event_id and Progress(latest.status, latest).is_over:
            return HttpResponse(status=204)
        with ExitStack() as room:
            limit = settings.ENV.max_concurrent_streams
            room.enter_context(concurrent("stream", owner_id=self.caller.owner_id, limit=limit))
            room.enter_context(_one_more_here())
            stream = _Stream(_events(self.caller, document, known=known), room=room.pop_all())
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(stream, content_type="text/event-stream", headers=headers)


class _Stream:
    """The events, and the room they take, which is given back however it ends: even if it never began."""

    def __init__(self, events: Iterator[bytes], *, room: ExitStack) -> None:
        self._events = events
        self._room = room

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        self._room.close()


def _events(caller: Caller, document: Document, *, known: str) -> Iterator[bytes]:
    yield f"retry: {_COME_BACK_MS}\n\n".encode()
    last: Revision | None = None
    try:
        for state in progress.follow(caller, document, timeout_s=settings.ENV.stream_s, heartbeat_s=_BEAT_S):
            welcome = is_still_valid(caller)
            let_go()  # a slow reader shall not hold it
            if not welcome:
                return
            if state is None or state.event_id == known:
                yield b": still here\n\n"
                continue
            last = state.revision or last
            yield _event(state, last)
    except DatabaseError as problem:
        # The client connects again, and goes on where it was.
        log.warning("stream_broke_off", error=type(problem).__name__)


def _event(state: Progress, last: Revision | None) -> bytes:
    told: dict[str, Any] = {**(job(last) if last else {}), "status": state.status}
    data = json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=True)
    return f"id: {state.event_id}\nevent: {'end' if state.is_over else 'progress'}\ndata: {data}\n\n".encode()


@cache
def _here(count: int) -> BoundedSemaphore:
    """The streams that this process may send at once."""
    return BoundedSemaphore(count)


def _one_more_here() -> ExitStack:
    here = _here(settings.ENV.web_streams)
    if not here.acquire(blocking=False):
        raise StreamsBusy(retry_after_s=5)
    held = ExitStack()
    held.callback(here.release)
    return held
