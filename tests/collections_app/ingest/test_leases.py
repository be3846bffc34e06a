"""Whose turn it is, and who may write."""

import subprocess
import sys
from dataclasses import replace

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.engine import process_name
from collections_app.ingest import leases, pipeline, worker
from collections_app.ingest.leases import Lease, LeaseLost
from collections_app.ingest.publish import publish
from collections_app.models import Revision
from tests.cast import Someone, someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import end_waits, get_document, latest_revision, shown_texts

TINY = (72, 72)


def claimed() -> Lease:
    lease = leases.claim()
    assert lease
    return lease


def test_a_revision_is_claimed_once_and_counted(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    lease = claimed()
    assert leases.claim() is None
    found = latest_revision(alice, "a.pdf")
    assert (found.pk, found.lease_token, found.attempts) == (lease.revision_id, lease.token, 1)


def test_a_lease_that_ran_out_is_free_again_and_the_old_one_writes_nothing(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    old = claimed()
    end_waits()
    new = claimed()
    with pytest.raises(LeaseLost), acting_for(alice.id) as tx:
        old.write(tx, pages_done=5)
    with pytest.raises(LeaseLost):
        publish(old, timings={})
    with pytest.raises(LeaseLost):
        pipeline.process(old)
    assert latest_revision(alice, "a.pdf").pages_done == 0
    with acting_for(alice.id) as tx:
        new.write(tx, waiting_for="")


def test_after_a_lost_write_nothing_is_written_even_if_it_could_be(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    lease = claimed()
    lease.lost.set()
    with pytest.raises(LeaseLost), acting_for(alice.id) as tx:
        lease.write(tx, waiting_for="")


def test_the_owner_with_the_least_running_comes_first(alice: Someone, charlie: Someone) -> None:
    for name in ("1.pdf", "2.pdf", "3.pdf"):
        put(alice, name, pdf("one"))
    put(charlie, "late.pdf", pdf("one"))
    assert [claimed().owner_id for _ in range(4)] == [alice.id, charlie.id, alice.id, alice.id]


def test_owners_take_turns_even_with_a_single_worker(alice: Someone, charlie: Someone, service: str) -> None:
    for name in ("1.pdf", "2.pdf", "3.pdf"):
        put(alice, name, pdf(name, size=TINY))
    for name in ("1.pdf", "2.pdf"):
        put(charlie, name, pdf(name, size=TINY))
    worker.run()
    assert get_document(alice, "1.pdf")["status"] == "ready"
    worker.run()
    assert get_document(charlie, "1.pdf")["status"] == "ready"
    worker.run()
    assert get_document(alice, "2.pdf")["status"] == "ready"
    worker.run()
    assert get_document(charlie, "2.pdf")["status"] == "ready"


def test_a_large_document_lets_others_pass(
    alice: Someone, charlie: Someone, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SLICE_PAGES", 8)
    texts = [f"page {number}" for number in range(20)]
    put(alice, "large.pdf", pdf(*texts, size=TINY))
    put(charlie, "small.pdf", pdf("one", size=TINY))
    assert worker.run()
    assert (get_document(alice, "large.pdf")["status"], get_document(alice, "large.pdf")["pages_done"]) == ("queued", 8)
    assert worker.run()
    assert get_document(charlie, "small.pdf")["status"] == "ready"
    assert not worker.run()
    assert shown_texts(alice, "large.pdf") == texts
    assert latest_revision(alice, "large.pdf").attempts == 0


def test_a_turn_ends_in_time(alice: Someone, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_SLICE_S", 0.0)
    put(alice, "a.pdf", pdf(*["x"] * 9, size=TINY))
    assert worker.run(), "its time was up before it began"


def test_what_is_not_due_is_not_claimed(alice: Someone, settings: Settings, service: str) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url="http://127.0.0.1:1")
    put(alice, "a.pdf", pdf("one"))
    worker.run()
    assert leases.claim() is None
    assert leases.count_due(limit=5) == 0
    end_waits()
    assert leases.count_due(limit=5) == 1


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_while_work_goes_on_and_known_to_be_lost_when_it_is() -> None:
    alice = someone("alice@example.com")
    put(alice, "a.pdf", pdf("one"))
    lease = claimed()
    end_waits()
    with leases.renewing(lease, every_s=0.01):
        with acting_for(alice.id):
            rows = Revision.objects.filter(owner_id=alice.id)
        for _ in range(500):
            with acting_for(alice.id):
                if rows.held().exists():
                    break
        else:
            pytest.fail("It was not renewed.")
        with acting_for(alice.id):
            rows.update(lease_token=None)
        assert lease.lost.wait(10)
    with pytest.raises(LeaseLost):
        lease.check()


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_cannot_be_renewed_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = someone("alice@example.com")
    put(alice, "a.pdf", pdf("one"))
    lease = claimed()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    with leases.renewing(lease, every_s=0.01):
        assert lease.lost.wait(20)


def test_what_a_killed_process_of_this_machine_held_is_free_at_once(alice: Someone, service: str) -> None:
    for name in ("dead.pdf", "alive.pdf", "elsewhere.pdf"):
        put(alice, name, pdf("one", size=TINY))
        claimed()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with acting_for(alice.id):
        held = Revision.objects.filter(owner_id=alice.id)
        held.filter(pk=latest_revision(alice, "dead.pdf").pk).update(lease_holder=process_name.name_of(ended.pid))
        held.filter(pk=latest_revision(alice, "elsewhere.pdf").pk).update(lease_holder="elsewhere:1")
    assert worker.run(), "one is free"
    assert not worker.run()
    assert [get_document(alice, name)["status"] for name in ("dead.pdf", "alive.pdf", "elsewhere.pdf")] == [
        "ready",
        "queued",
        "queued",
    ]
