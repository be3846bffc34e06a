"""The stream of progress events."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.key_lifecycle import revoke
from accounts.models import ApiKey
from accounts.ownership import acting_for
from collections_app.ingest import worker
from tests.cast import Someone, activate, someone, with_key
from tests.collections_app.documents import put, shown_with_pages
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import end_waits, process_all

TINY = (72, 72)
URL = "/v1/documents/a.pdf/events/"


@dataclass(frozen=True)
class Event:
    id: str
    kind: str
    data: dict[str, Any]


def read(answer: Any) -> Iterator[Event]:
    """Parse the events as an EventSource does."""
    assert answer.status_code == 200, answer.content
    rest = ""
    for piece in answer.streaming_content:
        *blocks, rest = (rest + piece.decode()).split("\n\n")
        for block in blocks:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in fields:
                yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
    assert not rest


@pytest.fixture
def owner(transactional_db: None, service: str, settings: Settings) -> Someone:
    settings.ENV = replace(settings.ENV, stream_s=20)
    return someone("follower@example.com")


def test_stream_sends_the_current_state_every_change_and_the_end(owner: Someone) -> None:
    put(owner, "a.pdf", pdf(*["x"] * 10, size=TINY))
    answer = owner.get(URL)
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Cache-Control"] == "no-store"
    events = read(answer)
    first = next(events)
    assert (first.kind, first.data["status"], first.data["document_name"]) == ("progress", "queued", "a.pdf")
    worker.run()
    rest = list(events)
    assert [(item.kind, item.data["status"]) for item in rest][-1] == ("end", "ready")
    assert (rest[-1].data["pages_done"], rest[-1].data["pages_total"]) == (10, 10)
    assert all(item.kind == "progress" for item in rest[:-1])


def test_stream_holds_no_connection_between_polls(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    events = read(owner.get(URL))
    next(events)
    assert connection.connection is None


def test_ready_document_sends_its_end_event_once(alice: Someone) -> None:
    shown_with_pages(alice, "a.pdf", pages=1)
    (only,) = read(alice.get(URL))
    assert (only.kind, only.data["status"]) == ("end", "ready")
    assert alice.get(URL, Last_Event_ID=only.id).status_code == 204
    (again,) = read(alice.get(URL, Last_Event_ID="something else"))
    assert again == only


def test_reconnecting_client_gets_no_event_twice(owner: Someone, settings: Settings) -> None:
    put(owner, "a.pdf", pdf("one"))
    settings.ENV = replace(settings.ENV, stream_s=0)
    (known,) = read(owner.get(URL))
    assert list(read(owner.get(URL, Last_Event_ID=known.id))) == []
    settings.ENV = replace(settings.ENV, stream_s=20)
    process_all()
    (news,) = read(owner.get(URL, Last_Event_ID=known.id))
    assert news.data["status"] == "ready"


def test_failed_job_has_an_error_code(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("secret", encrypt=True))
    process_all()
    (end,) = read(owner.get(URL))
    assert (end.kind, end.data["status"], end.data["error"]["code"]) == ("end", "failed", "file_encrypted")


@pytest.mark.parametrize(
    ("act", "status"), [("cancel", "cancelled"), ("upload", "superseded"), ("delete", "deleted")], ids=str
)
def test_stream_ends_when_the_document_is_superseded_or_deleted(owner: Someone, act: str, status: str) -> None:
    put(owner, "a.pdf", pdf("one"))
    events = read(owner.get(URL))
    before = next(events)
    if act == "cancel":
        owner.post("/v1/documents/a.pdf/cancel/", "")
    elif act == "upload":
        put(owner, "a.pdf", pdf("two"))
    else:
        owner.delete("/v1/documents/a.pdf/")
    (end,) = events
    assert (end.kind, end.data["status"], end.data["id"]) == ("end", status, before.data["id"])


def test_superseded_update_is_reported_as_superseded(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    process_all()
    put(owner, "a.pdf", pdf("two"))
    events = read(owner.get(URL))
    assert next(events).data["status"] == "queued"
    put(owner, "a.pdf", pdf("three"))
    end_waits()
    assert [item.data["status"] for item in events] == ["superseded"]
    assert next(read(owner.get(URL))).data["status"] == "queued", "a new connection follows the newer one"


def test_stream_ends_when_its_key_is_revoked(owner: Someone) -> None:
    other = with_key(owner.user)
    put(owner, "a.pdf", pdf("one"))
    events = read(other.get(URL))
    next(events)
    with acting_for(owner.id) as tx:
        revoke(tx, ApiKey.objects.filter(owner_id=owner.id).latest("pk"))
    process_all()
    assert list(events) == []


def test_stream_ends_when_its_owner_is_deactivated(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    events = read(owner.get(URL))
    next(events)
    owner.post("/v1/documents/a.pdf/cancel/", "")
    activate(owner, is_active=False)
    assert list(events) == []


def test_streams_per_owner_are_limited_and_released(owner: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_concurrent_streams=1)
    put(owner, "a.pdf", pdf("one"))
    first = owner.get(URL)
    refused = owner.get(URL)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
    first.close()
    owner.get(URL).close()


def test_streams_per_process_are_limited_and_released(owner: Someone, charlie: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, web_streams=1)
    for who in (owner, charlie):
        put(who, "a.pdf", pdf("one"))
    first = owner.get(URL)
    next(read(first))
    refused = charlie.get(URL)
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (503, "streams_busy", "5")
    first.close()
    charlie.get(URL).close()


def test_other_owner_cannot_follow(alice: Someone, charlie: Someone) -> None:
    shown_with_pages(alice, "a.pdf", pages=1)
    refused = charlie.get(URL)
    assert (refused.status_code, refused.json()["code"]) == (404, "document_not_found")
    assert alice.get(f"{URL}?colection_name=x").json()["code"] == "unknown_parameter"
