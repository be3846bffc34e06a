"""Following an upload: by server-sent events, and by polling where there are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from paliapi_client.decoding import decode
from paliapi_client.errors import APIError, NotFound, UnexpectedAnswer
from paliapi_client.flows.answers import error_of
from paliapi_client.flows.patience import patiently
from paliapi_client.flows.steps import Emit, Flow, Listen, NextChunk, Request, Response, Sleep, call
from paliapi_client.models.documents import Document, Failure

FINAL_STATUSES = frozenset({"ready", "failed", "cancelled", "superseded", "deleted"})
# The server sends a comment every fifteen seconds.
SILENCE_S = 45.0
FIRST_POLL_S = 0.2
MAX_POLL_S = 2.0
MAX_EVENT_CHARACTERS = 1 << 20
MAX_BROKEN_STREAMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upload is: first bytes are sent, then pages are processed."""

    status: str
    """`uploading`, then the status of the job: `queued`, `fetching`, `rendering`, `embedding`, `ready` and so on."""
    document_name: str
    collection_name: str = ""
    bytes_sent: int | None = None
    bytes_total: int | None = None
    pages_done: int = 0
    pages_total: int | None = None
    pages_per_s: float | None = None
    seconds_left: float | None = None
    waiting_for: str | None = None
    error: Failure | None = None


@dataclass(slots=True)
class EventParser:
    """Server-sent events from pieces of text."""

    _pending: str = ""
    _fields: dict[str, str] = field(default_factory=dict)

    def feed(self, text: str) -> Iterator[dict[str, str]]:
        """Yield the events that are complete now."""
        self._pending += text
        if len(self._pending) > MAX_EVENT_CHARACTERS:
            raise UnexpectedAnswer("An event is too long.")
        *lines, self._pending = self._pending.split("\n")
        for line in (line.removesuffix("\r") for line in lines):
            if line:
                name, _, value = line.partition(":")
                self._fields[name] = value.removeprefix(" ")
            elif self._fields:
                event, self._fields = self._fields, {}
                if "data" in event:
                    yield event


def follow(events: Request[Any], document: Request[Document]) -> Flow[Progress]:
    """Emit every change of the latest upload until it has ended, and return the last."""
    last_id: str | None = None
    last: Progress | None = None
    broken = 0
    while broken < MAX_BROKEN_STREAMS:
        request = events if last_id is None else _after(events, last_id)
        try:
            stream = yield Listen(request, SILENCE_S)
            if isinstance(stream, Response):
                if stream.status == 204 and last is not None:
                    return last
                _require_stream_later(stream)
                break
            parser, heard = EventParser(), False
            while (text := (yield NextChunk(stream))) is not None:
                for event in parser.feed(text):
                    heard, last_id, last = True, event.get("id", last_id), _progress_of(event)
                    yield Emit(last)
                    if event.get("event") == "end" or last.status in FINAL_STATUSES:
                        return last
            broken = 0 if heard else broken + 1
        except (httpx.HTTPError, httpx.StreamError):
            broken += 1
            yield Sleep(FIRST_POLL_S * 2**broken)
    return (yield from poll(document, last))


def poll(request: Request[Document], last: Progress | None = None) -> Flow[Progress]:
    """Emit every change of a document until its latest upload has ended, and return the last."""
    pause = FIRST_POLL_S
    while True:
        try:
            progress = _of_document((yield from patiently(lambda: call(request))))
        except NotFound:
            if last is None:
                raise
            progress = Progress(status="deleted", document_name=last.document_name)
        if progress != last:
            yield Emit(progress)
            pause = FIRST_POLL_S
        if progress.status in FINAL_STATUSES:
            return progress
        last = progress
        yield Sleep(pause)
        pause = min(MAX_POLL_S, pause * 1.5)


def _after(events: Request[Any], last_id: str) -> Request[Any]:
    headers = {**events.headers, "Last-Event-ID": last_id}
    return Request(
        method="GET", path=events.path, params=events.params, headers=headers, decode=events.decode, unlimited=True
    )


def _require_stream_later(response: Response) -> None:
    """Raise the error of a response, unless polling may still work."""
    error = error_of(response)
    if isinstance(error, APIError) and (error.status in {408, 429} or error.status >= 500):
        return
    if response.status != 204:
        raise error


def _progress_of(event: dict[str, str]) -> Progress:
    try:
        job = json.loads(event["data"])
    except (ValueError, RecursionError):
        raise UnexpectedAnswer(f"An event is not JSON: {event['data'][:80]!r}") from None
    return decode(Progress, job)


def _of_document(document: Document) -> Progress:
    return Progress(
        status=document.status,
        document_name=document.name,
        collection_name=document.collection_name,
        pages_done=document.pages_done,
        pages_total=document.pages_total,
        waiting_for=document.waiting_for,
        error=document.error,
    )
