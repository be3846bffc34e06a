"""Tasks, and the messages that wake workers. A lost message costs time, never data."""

import json

import pytest
from celery.signals import worker_ready
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis
from structlog.testing import capture_logs

from collections_app import tasks
from paliapi.celery import app
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import get_document
from tests.collections_app.webhooks.receiving import create_webhook, list_deliveries, receiving, request_test


def names(queue: "Redis", *, of: str = "celery") -> list[str]:
    return [json.loads(message)["headers"]["task"] for message in queue.lrange(of, 0, -1)]


def test_upload_is_accepted_without_a_queue(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    assert get_document(alice, "a.pdf")["status"] == "queued"


def test_upload_wakes_a_worker(alice: Someone, queue: "Redis") -> None:
    put(alice, "a.pdf", pdf("one"))
    assert names(queue) == ["collections_app.process_next"]


def test_message_has_no_arguments(alice: Someone, queue: "Redis") -> None:
    tasks.nudge(2)
    bodies = [json.loads(message) for message in queue.lrange("celery", 0, -1)]
    assert [body["headers"]["argsrepr"] for body in bodies] == ["()", "()"]


@pytest.mark.usefixtures("db")
def test_no_message_is_added_to_many(queue: "Redis") -> None:
    for _ in range(30):
        tasks.nudge()
    assert len(names(queue)) == 20


def test_worker_wakes_the_next_one_while_documents_are_due(alice: Someone, queue: "Redis", service: str) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, pdf(name))
    queue.delete("celery")
    tasks.process_next()
    assert names(queue) == ["collections_app.process_next"]
    tasks.process_next()
    assert len(names(queue)) == 1
    assert get_document(alice, "b.pdf")["status"] == "ready"


def test_sweeper_replaces_lost_messages_if_documents_are_due(alice: Someone, queue: "Redis") -> None:
    tasks.sweep()
    assert names(queue) == []
    for number in range(5):
        put(alice, f"{number}.pdf", pdf("one"))
    queue.delete("celery")
    tasks.sweep()
    assert len(names(queue)) == 2, "one per worker process"


def test_sweeper_and_courier_run_every_ten_seconds() -> None:
    for name in ("sweep", "webhooks"):
        assert app.conf.beat_schedule[name]["schedule"] == 10.0
        assert app.conf.beat_schedule[name]["task"] in app.tasks


def test_new_webhook_message_wakes_the_courier_on_its_own_queue(
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


def test_test_message_wakes_the_courier(
    alice: Someone,
    queue: "Redis",
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with receiving(settings) as server, django_capture_on_commit_callbacks(execute=True):
        request_test(alice, create_webhook(alice, server.url))
    assert names(queue, of="webhooks") == ["collections_app.send_webhooks"]


def test_worker_logs_at_its_start_which_walls_stand(settings: Settings) -> None:
    with capture_logs() as logs:
        worker_ready.send(sender=None)
    walls = {"network": True, "files": True, "calls": True, "user": True}
    assert logs == [{"event": "sandbox", "log_level": "info", "required": False, **walls}]


@pytest.mark.usefixtures("without_walls")
def test_worker_warns_at_its_start_of_missing_walls() -> None:
    with capture_logs() as logs:
        worker_ready.send(sender=None)
    (line,) = logs
    assert (line["log_level"], line["files"], line["user"]) == ("warning", False, False)
