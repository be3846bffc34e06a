"""Workers die, stall and meet; services go away. No page is lost or doubled, and nothing half is shown."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.ownership import acting_for
from benchmarks.harness.stack import descendants
from collections_app import failpoints
from collections_app.engine.rendering.errors import RenderCrashed, RenderTookTooLong, RenderTookTooMuchMemory
from collections_app.engine.rendering.protocol import PageNotRendered, RenderedPage
from collections_app.engine.rendering.render import render
from collections_app.failpoints import Fault
from collections_app.ingest import pipeline, worker
from collections_app.models import Page, Revision, Status
from embeddings.contract import VectorSpace
from paliapi.errors import Error
from paliapi.stack import processes
from tests.cast import Someone, someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import (
    assert_consistent,
    embeddings_reply,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    shown_texts,
)
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

TINY = (72, 72)
TEXTS = [f"page {number}" for number in range(1, 19)]  # three batches
POINTS = (
    "claimed",
    "pages_rendered",
    "pages_embedded",
    "images_put",
    "pages_written",
    "pages_stored",
    "pages_rendered:2",
    "pages_written:2",
    "pages_stored:3",
    "before_publishing",
    "published",
)


@pytest.fixture
def owner(alice: Someone, service: str) -> Iterator[Someone]:
    """Alice; whatever happens, her books balance."""
    yield alice
    assert_consistent(alice)


@pytest.fixture
def real_owner(transactional_db: None, service: str) -> Iterator[Someone]:
    """Somebody whose rows other threads see."""
    owner = someone("owner@example.com")
    yield owner
    assert_consistent(owner)


def failing(settings: Settings, point: str) -> None:
    failpoints.reset()
    settings.ENV = replace(settings.ENV, failpoint=point and f"{point}=raise")


@pytest.mark.parametrize("point", POINTS)
def test_where_a_worker_dies_the_next_goes_on(owner: Someone, settings: Settings, point: str) -> None:
    put(owner, "report.pdf", pdf("old"))
    process_all()
    put(owner, "report.pdf", pdf(*TEXTS, size=TINY))
    failing(settings, point)
    with pytest.raises(Fault):
        process_all()
    if point != "published":
        assert shown_texts(owner, "report.pdf") == ["old"]
        assert not worker.run(), "its lease has not run out"
    failing(settings, "")
    assert_consistent(owner)
    with acting_for(owner.id):
        before = set(Page.objects.filter(revision=latest_revision(owner, "report.pdf")).values_list("pk", flat=True))
    end_waits()
    process_all()
    assert get_document(owner, "report.pdf")["status"] == "ready"
    assert shown_texts(owner, "report.pdf") == TEXTS
    with acting_for(owner.id):
        after = set(Page.objects.filter(owner_id=owner.id).values_list("pk", flat=True))
    assert before <= after, "what was kept is not made again"


def test_who_kills_every_worker_is_failed_and_can_be_sent_again(owner: Someone, settings: Settings) -> None:
    put(owner, "poison.pdf", pdf("one"))
    for _ in range(3):
        failing(settings, "pages_rendered")
        with pytest.raises(Fault):
            worker.run()
        end_waits()
    assert not worker.run()
    assert worker.sweep(limit=5) == 0
    assert get_document(owner, "poison.pdf")["error"]["code"] == "tried_too_often"
    failing(settings, "")
    put(owner, "poison.pdf", pdf("two"))
    process_all()
    assert get_document(owner, "poison.pdf")["status"] == "ready"


def test_a_worker_that_progresses_before_it_dies_is_not_held_against_the_document(
    owner: Someone, settings: Settings
) -> None:
    put(owner, "report.pdf", pdf(*[f"page {number}" for number in range(40)], size=TINY))
    for _ in range(4):
        failing(settings, "pages_stored")
        with pytest.raises(Fault):
            worker.run()
        end_waits()
    failing(settings, "")
    process_all()
    assert get_document(owner, "report.pdf")["num_pages"] == 40


def test_a_stalled_worker_that_wakes_up_after_another_took_over_writes_nothing(
    real_owner: Someone, settings: Settings
) -> None:
    space = VectorSpace("slow", "1", 4)
    stalled = threading.Event()

    def reply(asked: ReceivedRequest) -> Reply:
        if not stalled.is_set():
            # The first worker waits for its answer while all of this happens.
            stalled.set()
            end_waits()
            process_all()
            connection.close()
        return embeddings_reply(space, asked)

    put(real_owner, "report.pdf", pdf("one", "two", size=TINY))
    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
    found = latest_revision(real_owner, "report.pdf")
    assert (found.status, found.lease_token) == ("ready", None)
    assert shown_texts(real_owner, "report.pdf") == ["one", "two"]


def test_of_two_workers_at_once_one_gets_it(real_owner: Someone) -> None:
    put(real_owner, "report.pdf", pdf("one", "two", size=TINY))
    at_once([worker.run] * 4)
    assert shown_texts(real_owner, "report.pdf") == ["one", "two"]


def test_many_workers_over_many_documents_do_each_once(real_owner: Someone) -> None:
    names = [f"{number}.pdf" for number in range(8)]
    for name in names:
        put(real_owner, name, pdf("same on all", name, size=TINY))
    at_once([process_all] * 3)
    for name in names:
        assert shown_texts(real_owner, name) == ["same on all", name]


def at_once(workers: list[Callable[[], object]]) -> None:
    start = threading.Barrier(len(workers), timeout=30)

    def run(worker: Callable[[], object]) -> None:
        try:
            start.wait()
            worker()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(run, workers))


def test_without_embeddings_documents_wait_and_say_what_for(owner: Someone, settings: Settings) -> None:
    up = settings.ENV
    settings.ENV = replace(up, embeddings_url="http://127.0.0.1:1")
    put(owner, "report.pdf", pdf("one"))
    for _ in range(3):
        assert not worker.run()
        found = latest_revision(owner, "report.pdf")
        assert (found.status, found.waits, found.attempts) == ("queued", 1, 0)
        end_waits()
    assert get_document(owner, "report.pdf")["waiting_for"] == "embeddings_unavailable"
    settings.ENV = up
    process_all()
    now = get_document(owner, "report.pdf")
    assert (now["status"], now["waiting_for"]) == ("ready", None)


def test_an_answer_that_cannot_be_used_is_waited_out(owner: Someone, settings: Settings) -> None:
    put(owner, "report.pdf", pdf("one"))
    with scripted(lambda _: Reply.json({"embeddings": "none"})) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
    assert latest_revision(owner, "report.pdf").waiting_for == "embeddings_untrustworthy"


@pytest.mark.parametrize("model", ["a" * 201, "with \0 inside"])
def test_a_model_whose_name_cannot_be_kept_is_not_believed(owner: Someone, settings: Settings, model: str) -> None:
    put(owner, "report.pdf", pdf("one"))
    with scripted(lambda asked: embeddings_reply(VectorSpace(model, "1", 4), asked)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
    assert latest_revision(owner, "report.pdf").waiting_for == "embeddings_untrustworthy"


def test_a_page_that_is_refused_fails_the_document_with_its_number(owner: Someone, settings: Settings) -> None:
    put(owner, "report.pdf", pdf("one", "two", "three", size=TINY))
    with scripted(lambda _: Reply.json({"detail": "No.", "index": 1}, status=422)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
    error = get_document(owner, "report.pdf")["error"]
    assert (error["code"], error["page"]) == ("input_not_embeddable", 2)


def test_vectors_of_two_models_are_never_mixed_in_one_document(owner: Someone, settings: Settings) -> None:
    spaces = [VectorSpace("old", "1", 4)] + [VectorSpace("new", "1", 8)] * 10
    put(owner, "report.pdf", pdf(*TEXTS, size=TINY))
    with scripted(lambda asked: embeddings_reply(spaces.pop(0), asked)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
        found = latest_revision(owner, "report.pdf")
        assert (found.status, found.waiting_for, found.pages_done) == ("queued", "space_changed", 0)
        assert_consistent(owner)
        end_waits()
        process_all()
    found = latest_revision(owner, "report.pdf")
    assert found.space
    assert (found.status, found.space.model) == ("ready", "new")


def test_an_error_of_our_own_is_tried_again_and_then_told(
    owner: Someone, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    put(owner, "report.pdf", pdf("one"))
    settings.ENV = replace(settings.ENV, embeddings_url="http://[")
    for attempt in range(1, 4):
        worker.run()
        assert latest_revision(owner, "report.pdf").attempts == attempt
        end_waits()
    worker.sweep(limit=1)
    assert get_document(owner, "report.pdf")["error"]["code"] == "tried_too_often"


def test_when_the_database_hangs_up_the_document_is_free_at_once(real_owner: Someone, settings: Settings) -> None:
    put(real_owner, "report.pdf", pdf("one", size=TINY))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (mine,) = cursor.fetchone()
    space, hung_up = VectorSpace("slow", "1", 4), threading.Event()

    def reply(asked: ReceivedRequest) -> Reply:
        if not hung_up.is_set():
            hung_up.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
            connection.close()
        return embeddings_reply(space, asked)

    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
        found = latest_revision(real_owner, "report.pdf")
        assert (found.status, found.lease_token, found.attempts) == (Status.QUEUED, None, 1)
        process_all()
    assert shown_texts(real_owner, "report.pdf") == ["one"]


def test_a_newer_upload_ends_the_work_on_an_older_one(real_owner: Someone, settings: Settings) -> None:
    space = VectorSpace("slow", "1", 4)
    again = threading.Event()

    def reply(asked: ReceivedRequest) -> Reply:
        if not again.is_set():
            again.set()
            put(real_owner, "report.pdf", pdf("newer", size=TINY))
            connection.close()
        return embeddings_reply(space, asked)

    put(real_owner, "report.pdf", pdf("older", size=TINY))
    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
        assert shown_texts(real_owner, "report.pdf") == []
        process_all()
    assert shown_texts(real_owner, "report.pdf") == ["newer"]
    with acting_for(real_owner.id):
        assert list(Revision.objects.values_list("status", flat=True)) == [Status.READY]


def test_one_batch_is_kept_while_the_next_is_embedded(real_owner: Someone, settings: Settings) -> None:
    space, kept = VectorSpace("slow", "1", 4), list[bool]()

    def reply(asked: ReceivedRequest) -> Reply:
        if len(server.requests) == 2:
            kept.append(
                processes.wait_until(lambda: latest_revision(real_owner, "report.pdf").pages_done == 8, within_s=30)
            )
            connection.close()
        return embeddings_reply(space, asked)

    put(real_owner, "report.pdf", pdf(*TEXTS, size=TINY))
    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        process_all()
    assert kept == [True]
    assert shown_texts(real_owner, "report.pdf") == TEXTS


@pytest.mark.parametrize("error", [RenderTookTooLong, RenderTookTooMuchMemory, RenderCrashed])
def test_a_page_does_not_pay_for_those_before_it(
    owner: Someone, monkeypatch: pytest.MonkeyPatch, error: type[Error]
) -> None:
    def worn_out(source: IO[bytes], *, first_page: int, **options: Any) -> Iterator[RenderedPage]:
        pages = render(source, first_page=first_page, **options)
        yield from islice(pages, max(0, 12 - first_page))
        if first_page < 12:
            raise PageNotRendered(error(), page=12, total=len(TEXTS))
        yield from pages

    monkeypatch.setattr(pipeline, "render", worn_out)
    put(owner, "report.pdf", pdf(*TEXTS, size=TINY))
    process_all()
    assert shown_texts(owner, "report.pdf") == TEXTS


def test_what_was_drawn_before_the_process_that_draws_is_lost_is_kept(owner: Someone, settings: Settings) -> None:
    def reply(asked: ReceivedRequest) -> Reply:
        if len(server.requests) == 1:
            for pid in descendants(os.getpid()):
                if b"rendering.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
        return embeddings_reply(VectorSpace("toy", "1", 4), asked)

    texts = [f"page {number}" for number in range(60)]
    put(owner, "report.pdf", pdf(*texts))
    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        worker.run()
        found = latest_revision(owner, "report.pdf")
        assert (found.status, found.waiting_for) == (Status.QUEUED, "render_unavailable")
        assert found.pages_done >= 8
        end_waits()
        process_all()
    assert shown_texts(owner, "report.pdf") == texts
