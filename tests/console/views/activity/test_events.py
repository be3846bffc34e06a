"""The stream of changes of what is being processed in the account."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.key_lifecycle import revoke
from accounts.models import ApiKey
from accounts.ownership import acting_for, managing_users
from collections_app.ingest import progress
from collections_app.models import Revision
from tests.cast import Someone, someone
from tests.collections_app.documents import PDF, put
from tests.console.browser import Browser
from tests.console.people import PASSWORD


@pytest.fixture
def owner(transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Someone:
    settings.ENV = replace(settings.ENV, stream_s=20)
    monkeypatch.setattr(progress, "_ACCOUNT_PAUSE_S", 0.01)
    return someone("follower@example.com")


def follow(browser: Browser) -> Iterator[str]:
    answer: Any = browser.get("/activity/events/", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    assert answer["Cache-Control"] == "no-store"
    return (piece.decode() for piece in answer.streaming_content)


def test_every_change_of_the_account_is_an_event_until_the_key_is_revoked(owner: Someone) -> None:
    stranger = someone("stranger@example.com")
    events = follow(Browser(owner))
    assert next(events) == "retry: 2000\n\n"
    seen = [next(events)]
    assert connection.connection is None  # none is held between two events
    put(stranger, "of another", PDF)
    put(owner, "a", PDF)
    seen.append(next(events))
    owner.post("/v1/documents/a/cancel/", "")
    seen.append(next(events))
    assert all(event.startswith("id: ") and "\nevent: change\n" in event for event in seen)
    assert [event.partition("-")[0] for event in seen] == ["id: 0", "id: 1", "id: 0"]
    with acting_for(owner.id) as tx:
        revoke(tx, ApiKey.objects.get(owner_id=owner.id), with_descendants=False)
    with acting_for(owner.id):
        Revision.objects.filter(owner_id=owner.id).update(status="queued")
    assert list(events) == []


def test_stream_ends_with_the_session(owner: Someone) -> None:
    with managing_users():
        owner.user.set_password(PASSWORD)
        owner.user.save()
    browser = Browser()
    browser.sign_in(owner.user.email, PASSWORD)
    events = follow(browser)
    assert [next(events)[:3] for _ in range(2)] == ["ret", "id:"]
    browser.post("/sign-out/")
    put(owner, "a", PDF)
    assert list(events) == []


def test_state_that_the_browser_has_is_not_sent_again(owner: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, stream_s=0)
    browser = Browser(owner)
    _, event = follow(browser)
    mark = event.partition("\n")[0].removeprefix("id: ")
    answer: Any = browser.get("/activity/events/", headers={"Last-Event-ID": mark})
    assert list(answer.streaming_content)[1:] == [b": still here\n\n"]


def test_number_of_streams_is_limited(owner: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_concurrent_streams=1)
    browser = Browser(owner)
    first = browser.get("/activity/events/")
    assert first.status_code == 200
    assert browser.get("/activity/events/").status_code == 429
    first.close()
    second = browser.get("/activity/events/")
    assert second.status_code == 200
    second.close()


def test_stream_is_for_the_signed_in(db: None) -> None:
    assert Browser().get("/activity/events/").status_code == 401
