"""The queue carries nudges; without it nothing is lost but time."""

import json

from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from collections_app import tasks
from paliapi.celery import app
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import get_document
from tests.collections_app.webhooks.receiving import create_webhook, list_deliveries, receiving, request_test


def names(queue: "Redis", *, of: str = "celery") -> list[str]:
    return [json.loads(message)["headers"]["task"] for message in queue.lrange(of, 0, -1)]


def test_an_upload_is_accepted_without_a_queue(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    assert get_document(alice, "a.pdf")["status"] == "queued"


def test_an_upload_and_a_new_content_nudge_a_worker(alice: Someone, queue: "Redis") -> None:
    put(alice, "a.pdf", pdf("one"))
    assert names(queue) == ["collections_app.process_next"]


def test_a_nudge_names_nothing(alice: Someone, queue: "Redis") -> None:
    tasks.nudge(2)
    bodies = [json.loads(message) for message in queue.lrange("celery", 0, -1)]
    assert [body["headers"]["argsrepr"] for body in bodies] == ["()", "()"]


def test_one_who_is_done_nudges_the_next_while_there_is_more(alice: Someone, queue: "Redis", service: str) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, pdf(name))
    queue.delete("celery")
    tasks.process_next()
    assert names(queue) == ["collections_app.process_next"]
    tasks.process_next()
    assert len(names(queue)) == 1
    assert get_document(alice, "b.pdf")["status"] == "ready"


def test_the_sweeper_sends_what_was_lost_and_nothing_where_nothing_is_due(alice: Someone, queue: "Redis") -> None:
    tasks.sweep()
    assert names(queue) == []
    for number in range(5):
        put(alice, f"{number}.pdf", pdf("one"))
    queue.delete("celery")
    tasks.sweep()
    assert len(names(queue)) == 2, "as many as there are workers"


def test_the_sweeper_and_the_courier_come_every_ten_seconds() -> None:
    for name in ("sweep", "webhooks"):
        assert app.conf.beat_schedule[name]["schedule"] == 10.0
        assert app.conf.beat_schedule[name]["task"] in app.tasks


def test_news_nudges_the_courier_on_a_queue_of_its_own(
    alice: Someone, queue: "Redis", service: str, settings: Settings
) -> None:
    put(alice, "quiet.pdf", pdf("one"))
    tasks.process_next()
    assert names(queue, of="webhooks") == []
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        put(alice, "a.pdf", pdf("one"))
        tasks.process_next()
        assert names(queue, of="webhooks") == ["collections_app.send_webhooks"]
        tasks.send_webhooks()
        assert [row["status"] for row in list_deliveries(alice, hook)] == ["delivered"]
    assert len(names(queue, of="webhooks")) == 1, "nothing more to send"


def test_who_asks_for_a_message_nudges_the_courier(
    alice: Someone,
    queue: "Redis",
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with receiving(settings) as server, django_capture_on_commit_callbacks(execute=True):
        request_test(alice, create_webhook(alice, server.url))
    assert names(queue, of="webhooks") == ["collections_app.send_webhooks"]
