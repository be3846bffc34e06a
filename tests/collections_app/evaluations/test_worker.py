"""Running evaluations: turns, interruptions, waits and failures."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_as_staff
from collections_app import tasks
from collections_app.evaluations import worker
from collections_app.tables.evaluations import EvaluationRun
from tests.cast import Someone, activate
from tests.collections_app.evaluations.running import create_evaluation, create_run, get_run, run_all, start_run
from tests.collections_app.searchable import with_words

MANY = [
    {"id": str(number), "text": f"lens {number}", "relevant": [{"document_name": "sea.pdf", "page_number": 1}]}
    for number in range(3)
]


@pytest.fixture
def sea(alice: Someone, service: str) -> None:
    with_words(alice, "sea.pdf", ["the tallest lighthouse", "a lens"])


def change(**changes: object) -> None:
    with acting_as_staff():
        EvaluationRun.objects.update(**changes)


def test_run_continues_where_its_last_turn_ended(alice: Someone, sea: None) -> None:
    run = start_run(alice, create_evaluation(alice, MANY), rankings=["lexical"])
    for done in (1, 2):
        assert worker.run(stop_after_s=0)
        state = get_run(alice, run)
        assert (state["status"], state["questions_done"]) == ("queued", done)
    assert not worker.run(stop_after_s=0)
    assert get_run(alice, run)["status"] == "done"


def test_owners_take_turns(alice: Someone, charlie: Someone, sea: None) -> None:
    with_words(charlie, "sea.pdf", ["a lens"])
    first, second = (start_run(alice, create_evaluation(alice, MANY), rankings=["lexical"]) for _ in range(2))
    theirs = start_run(charlie, create_evaluation(charlie, MANY), rankings=["lexical"])
    for _ in range(4):
        worker.run(stop_after_s=0)
    assert get_run(charlie, theirs)["questions_done"] == 2
    assert get_run(alice, first)["questions_done"] + get_run(alice, second)["questions_done"] == 2


def test_only_one_run_is_measured_at_a_time(alice: Someone, sea: None) -> None:
    runs = [create_run(alice) for _ in range(2)]
    lease = worker._claim()
    assert lease is not None
    assert not worker.any_due()
    assert not worker.run()
    change(lease_until=None, lease_token=None)
    run_all()
    assert {get_run(alice, run)["status"] for run in runs} == {"done"}


def test_process_that_lost_its_lease_writes_nothing(alice: Someone, sea: None) -> None:
    run = create_run(alice)
    lease = worker._claim()
    assert lease is not None
    change(lease_token=None, lease_until=None)
    with pytest.raises(worker._LeaseLost):
        lease.end(status="failed")
    assert get_run(alice, run)["status"] == "queued"


def test_run_that_breaks_off_again_and_again_fails(alice: Someone, sea: None) -> None:
    run = create_run(alice)
    for _ in range(worker.MAX_ATTEMPTS):
        assert worker._claim() is not None, "and its process is killed"
        change(lease_until=None)
    assert worker._claim() is None
    assert not worker.sweep()
    state = get_run(alice, run)
    assert (state["status"], state["error"]["code"]) == ("failed", "evaluation_broke_off")


def test_run_that_is_not_done_in_time_fails_unless_it_is_being_measured(alice: Someone, sea: None) -> None:
    run = create_run(alice)
    change(created_at=timezone.now() - worker.MAX_AGE - timedelta(hours=1))
    assert worker._claim() is not None
    assert not worker.sweep()
    assert get_run(alice, run)["status"] == "queued"
    change(lease_until=None)
    assert not worker.sweep()
    state = get_run(alice, run)
    assert (state["status"], state["error"]["code"]) == ("failed", "evaluation_took_too_long")


def test_run_waits_while_the_embeddings_service_is_unavailable(alice: Someone, sea: None, settings: Settings) -> None:
    run = start_run(alice, create_evaluation(alice), rankings=["maxsim"])
    working = settings.ENV
    settings.ENV = replace(working, embeddings_url="http://127.0.0.1:1")
    assert not worker.run()
    state = get_run(alice, run)
    assert (state["status"], state["waiting_for"]) == ("queued", "embeddings_unavailable")
    settings.ENV = working
    change(next_try_at="2020-01-01T00:00:00Z")
    run_all()
    state = get_run(alice, run)
    assert (state["status"], state["waiting_for"]) == ("done", "")


def test_run_on_an_empty_collection_fails_with_the_reason(alice: Someone, service: str) -> None:
    alice.post("/v1/collections/", {"name": "default_collection"})
    run = create_run(alice)
    run_all()
    state = get_run(alice, run)
    assert (state["status"], state["error"]["code"]) == ("failed", "nothing_to_evaluate")


def test_rankings_that_cannot_find_anything_are_left_out(alice: Someone, service: str) -> None:
    with_words(alice, "sea.pdf", [""])
    run = create_run(alice)
    run_all()
    assert get_run(alice, run)["rankings"] == ["auto", "maxsim"]


def test_runs_of_a_deactivated_owner_wait(alice: Someone, sea: None) -> None:
    create_run(alice)
    activate(alice, is_active=False)
    assert not worker.any_due()
    activate(alice, is_active=True)
    assert worker.any_due()


def test_task_runs_what_is_due(alice: Someone, sea: None) -> None:
    run = create_run(alice)
    tasks.run_evaluations()
    assert get_run(alice, run)["status"] == "done"
