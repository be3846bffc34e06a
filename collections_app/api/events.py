"""The endpoint that streams the progress of a document as server-sent events."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
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
from accounts.limits.process_slots import process_slot
from accounts.ownership import acting_for
from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import catalogue
from collections_app.api.errors import StreamsBusy
from collections_app.api.jobs import EXAMPLE_JOB, represent_job
from collections_app.api.parameters import COLLECTION, DOCUMENT_NAME, collection_name_of
from collections_app.ingest import outlook, progress
from collections_app.ingest.progress import Progress
from collections_app.models import Document, Revision
from paliapi.database import release_connection

log = structlog.get_logger(__name__)

_HEARTBEAT_S = 15.0
RECONNECT_MS = 2000
_MAX_EVENT_ID_LENGTH = 100
_LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID", str, "header", description="Id of the last event you received; its state is not sent again."
)
_EXAMPLE = {"id": "7-1763717412000000-embedding", "event": "progress", "data": json.dumps(EXAMPLE_JOB)}


class EventOut(serializers.Serializer[dict[str, str]]):
    """One event of the stream."""

    id = serializers.CharField(help_text="For `Last-Event-ID`.")
    event = serializers.ChoiceField(["progress", "end"], help_text="`end` is the last event.")
    data = serializers.CharField(help_text="A job, as JSON.")  # type: ignore[assignment]


class Events(OwnedView):
    costs: ClassVar = {"GET": 2}
    http_method_names = ["get", "options"]
    query = frozenset({"collection_name"})
    transactional = False  # a stream lasts long, and must see every change
    extra_statuses: ClassVar = {"GET": (409,)}

    @extend_schema(
        operation_id="streamDocumentEvents",
        tags=["documents"],
        summary="Follow the processing of a document",
        description=(
            "Server-sent events about the latest upload: first its current state, then every change. `progress` events "
            "report an intermediate state, an `end` event the final one; `data` is a job, whose final `status` is "
            "`ready`, `failed`, `cancelled`, `superseded` (by a newer upload) or `deleted`. A comment is sent every "
            "fifteen seconds. A stream that reaches the time limit closes without an `end` event: reconnect with "
            "`Last-Event-ID`, as browsers do. If you already have the `end` event, the response is 204. The number of "
            "concurrent streams is limited (429 for an account, 503 for a server process); polling the document always "
            "works."
        ),
        parameters=[DOCUMENT_NAME, COLLECTION, _LAST_EVENT_ID],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                EventOut, examples=[OpenApiExample("In progress", value=_EXAMPLE, response_only=True)]
            ),
            204: None,
        },
    )
    def get(self, request: Request, document_name: str) -> HttpResponseBase:
        with acting_for(self.caller.owner_id) as tx:
            document = catalogue.find_document(
                tx, self.caller, document_name, collection_name=collection_name_of(request)
            )
        last_event_id = request.headers.get("Last-Event-ID", "")[:_MAX_EVENT_ID_LENGTH]
        if document.latest:
            current = Progress(document.latest.status, document.latest)
            if current.is_over and current.event_id == last_event_id:
                return HttpResponse(status=204)
        return event_stream(self.caller, _events(self.caller, document, last_event_id=last_event_id))


def event_stream(caller: Caller, events: Iterator[bytes]) -> StreamingHttpResponse:
    """Return a response that streams these events, and holds one of the slots for streams of the owner meanwhile."""
    with ExitStack() as slots:
        limit = settings.ENV.max_concurrent_streams
        slots.enter_context(concurrent("stream", owner_id=caller.owner_id, limit=limit))
        if not slots.enter_context(process_slot("stream", limit=settings.ENV.web_streams)):
            raise StreamsBusy(retry_after_s=5)
        stream = _Stream(events, slots=slots.pop_all())
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type="text/event-stream", headers=headers)


class _Stream:
    """The events and the slots they occupy. Closing releases the slots, even if iteration never began."""

    def __init__(self, events: Iterator[bytes], *, slots: ExitStack) -> None:
        self._events = events
        self._slots = slots

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        self._slots.close()


def _events(caller: Caller, document: Document, *, last_event_id: str) -> Iterator[bytes]:
    yield f"retry: {RECONNECT_MS}\n\n".encode()
    revision: Revision | None = None
    try:
        for state in progress.follow(caller, document, timeout_s=settings.ENV.stream_s, heartbeat_s=_HEARTBEAT_S):
            allowed = is_still_valid(caller)
            release_connection()  # a slow client must not hold a connection
            if not allowed:
                return
            if state is None or state.event_id == last_event_id:
                yield b": still here\n\n"
                continue
            revision = state.revision or revision
            yield _event(state, revision)
    except DatabaseError as error:
        # The client reconnects and continues from its last event.
        log.warning("stream_broke_off", error=type(error).__name__)


def _event(state: Progress, revision: Revision | None) -> bytes:
    """Encode a state; a deleted or superseded revision is represented by its last known row."""
    job = represent_job(revision, outlook.of_job(revision)) if revision else {}
    payload: dict[str, Any] = {**job, "status": state.status}
    data = json.dumps(payload, cls=DjangoJSONEncoder, ensure_ascii=True)
    return f"id: {state.event_id}\nevent: {'end' if state.is_over else 'progress'}\ndata: {data}\n\n".encode()
