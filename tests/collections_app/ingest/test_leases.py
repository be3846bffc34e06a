"""Leases: which worker processes which revision, and who may write."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.engine import process_name
from collections_app.ingest import leases, pipeline, worker
from collections_app.ingest.embed_pages import SharedEmbedder
from collections_app.ingest.leases import Lease, LeaseLost
from collections_app.ingest.publish import publish
from collections_app.models import Revision
from embeddings.contract import VectorSpace
from tests.cast import Someone, activate, someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import (
    embeddings_reply,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    shown_texts,
    use_embeddings,
)
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

TINY = (72, 72)


def claim() -> Lease:
    lease = leases.claim()
    assert lease
    return lease


def run_concurrently(workers: list[Callable[[], object]]) -> None:
    start = threading.Barrier(len(workers), timeout=30)

    def run(worker: Callable[[], object]) -> None:
        try:
            start.wait()
            worker()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(run, workers))


def test_claim_is_exclusive_and_counts_the_attempt(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    lease = claim()
    assert leases.claim() is None
    row = latest_revision(alice, "a.pdf")
    assert (row.pk, row.lease_token, row.attempts) == (lease.revision_id, lease.token, 1)


def test_retry_is_claimed_only_by_a_process_that_has_nothing_else_to_lose(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    assert not claim().is_retry
    end_waits()
    put(alice, "b.pdf", pdf("two"))
    assert leases.claim(may_retry=False) is None, "the retry is next"
    assert claim().is_retry
    assert leases.claim(may_retry=False)


def test_expired_lease_can_be_claimed_and_its_old_holder_writes_nothing(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    old = claim()
    end_waits()
    new = claim()
    with pytest.raises(LeaseLost), old.transaction() as tx:
        old.write(tx, pages_done=5)
    with pytest.raises(LeaseLost):
        publish(old, timings={})
    with pytest.raises(LeaseLost), SharedEmbedder() as embedder:
        pipeline.process(old, embedder)
    assert latest_revision(alice, "a.pdf").pages_done == 0
    with new.transaction() as tx:
        new.write(tx, waiting_for="")


def test_lost_lease_never_writes_again(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    lease = claim()
    lease.lost.set()
    with pytest.raises(LeaseLost), lease.transaction() as tx:
        lease.write(tx, waiting_for="")


def test_released_lease_can_be_claimed_at_once(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    lease = claim()
    lease.lost.set()  # as when the database was away
    lease.release()
    assert claim().revision_id == lease.revision_id


def test_exhausted_revision_is_claimed_only_to_be_failed(alice: Someone) -> None:
    put(alice, "a.pdf", pdf("one"))
    for _ in range(leases.MAX_ATTEMPTS):
        assert leases.claim_exhausted() is None
        claim()
        end_waits()
    assert leases.claim() is None
    assert leases.count_due(limit=5) == 0
    lease = leases.claim_exhausted()
    assert lease
    assert latest_revision(alice, "a.pdf").lease_token == lease.token
    assert leases.claim_exhausted() is None, "it is held now"


def test_owner_with_the_fewest_running_comes_first(alice: Someone, charlie: Someone) -> None:
    for name in ("1.pdf", "2.pdf", "3.pdf"):
        put(alice, name, pdf("one"))
    put(charlie, "late.pdf", pdf("one"))
    assert [claim().owner_id for _ in range(4)] == [alice.id, charlie.id, alice.id, alice.id]


def test_owners_take_turns_even_with_a_single_worker(alice: Someone, charlie: Someone, service: str) -> None:
    for name in ("1.pdf", "2.pdf", "3.pdf"):
        put(alice, name, pdf(name, size=TINY))
    for name in ("1.pdf", "2.pdf"):
        put(charlie, name, pdf(name, size=TINY))
    for owner, name in ((alice, "1.pdf"), (charlie, "1.pdf"), (alice, "2.pdf"), (charlie, "2.pdf")):
        worker.run()
        assert get_document(owner, name)["status"] == "ready"


def test_waiting_revision_is_not_claimed_before_it_is_due(alice: Someone, settings: Settings, service: str) -> None:
    use_embeddings(settings, "http://127.0.0.1:1")
    put(alice, "a.pdf", pdf("one"))
    worker.run()
    assert leases.claim() is None
    assert leases.count_due(limit=5) == 0
    end_waits()
    assert leases.count_due(limit=5) == 1


def test_count_stops_at_the_limit(alice: Someone) -> None:
    for name in ("1.pdf", "2.pdf", "3.pdf"):
        put(alice, name, pdf("one"))
    assert leases.count_due(limit=2) == 2


@pytest.mark.django_db(transaction=True)
def test_lease_is_renewed_while_work_continues_and_its_loss_is_noticed() -> None:
    alice = someone("alice@example.com")
    put(alice, "a.pdf", pdf("one"))
    lease = claim()
    end_waits()
    with leases.renewing(lease, every_s=0.01):
        rows = Revision.objects.filter(owner_id=alice.id)
        for _ in range(500):
            with acting_for(alice.id):
                if rows.held().exists():
                    break
        else:
            pytest.fail("The lease was not renewed.")
        with acting_for(alice.id):
            rows.update(lease_token=None)
        assert lease.lost.wait(10)
    with pytest.raises(LeaseLost):
        lease.check()


@pytest.mark.django_db(transaction=True)
def test_lease_that_cannot_be_renewed_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = someone("alice@example.com")
    put(alice, "a.pdf", pdf("one"))
    lease = claim()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    with leases.renewing(lease, every_s=0.01):
        assert lease.lost.wait(20)


def test_lease_of_a_killed_process_of_this_machine_ends_at_once(alice: Someone, service: str) -> None:
    names = ("dead.pdf", "alive.pdf", "elsewhere.pdf")
    for name in names:
        put(alice, name, pdf("one", size=TINY))
        claim()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with acting_for(alice.id):
        held = Revision.objects.filter(owner_id=alice.id)
        held.filter(pk=latest_revision(alice, "dead.pdf").pk).update(lease_holder=process_name.name_of(ended.pid))
        held.filter(pk=latest_revision(alice, "elsewhere.pdf").pk).update(lease_holder="elsewhere:1")
    assert worker.run(), "one lease was ended"
    assert not worker.run()
    assert [get_document(alice, name)["status"] for name in names] == ["ready", "rendering", "rendering"]


def test_stalled_worker_that_wakes_up_after_a_takeover_writes_nothing(real_owner: Someone, settings: Settings) -> None:
    stalled = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        if not stalled.is_set():
            # The first worker waits for its response while all of this happens.
            stalled.set()
            end_waits()
            process_all()
            connection.close()
        return embeddings_reply(VectorSpace("slow", "1", 4), request)

    put(real_owner, "report.pdf", pdf("one", "two", size=TINY))
    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        worker.run()
    row = latest_revision(real_owner, "report.pdf")
    assert (row.status, row.lease_token) == ("ready", None)
    assert shown_texts(real_owner, "report.pdf") == ["one", "two"]


def test_concurrent_workers_process_a_document_once(real_owner: Someone) -> None:
    put(real_owner, "report.pdf", pdf("one", "two", size=TINY))
    run_concurrently([worker.run] * 4)
    assert shown_texts(real_owner, "report.pdf") == ["one", "two"]


def test_concurrent_workers_process_many_documents_once_each(real_owner: Someone) -> None:
    names = [f"{number}.pdf" for number in range(8)]
    for name in names:
        put(real_owner, name, pdf("same on all", name, size=TINY))
    run_concurrently([process_all] * 3)
    for name in names:
        assert shown_texts(real_owner, name) == ["same on all", name]


def test_owner_waits_if_something_is_due_and_nothing_in_flight(alice: Someone, charlie: Someone) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, pdf("one"))
    assert not leases.is_owner_waiting(), "for a moment only"
    end_waits()
    assert leases.is_owner_waiting()
    lease = claim()
    assert not leases.is_owner_waiting(), "one of two is being processed"
    put(charlie, "c.pdf", pdf("one"))
    end_waits()
    with lease.transaction() as tx:
        Revision.objects.filter(owner_id=tx.owner_id, pk=lease.revision_id).update(lease_until=Now() + timedelta(1))
    assert leases.is_owner_waiting()
    activate(charlie, is_active=False)
    assert not leases.is_owner_waiting()


def test_revisions_of_a_deactivated_owner_wait_until_it_is_active_again(owner: Someone, charlie: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    activate(owner, is_active=False)
    assert leases.count_due(limit=5) == 0
    assert leases.claim() is None
    put(charlie, "b.pdf", pdf("two"))
    process_all()
    assert get_document(charlie, "b.pdf")["status"] == "ready"
    activate(owner, is_active=True)
    process_all()
    assert get_document(owner, "a.pdf")["status"] == "ready"


def test_exhausted_revision_of_a_deactivated_owner_fails_only_once_it_is_active(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    with acting_for(owner.id):
        Revision.objects.update(attempts=leases.MAX_ATTEMPTS)
    activate(owner, is_active=False)
    worker.sweep(limit=5)
    assert latest_revision(owner, "a.pdf").status == "queued"
    activate(owner, is_active=True)
    worker.sweep(limit=5)
    assert latest_revision(owner, "a.pdf").status == "failed"


def test_lease_is_lost_when_its_owner_is_deactivated(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    lease = claim()
    lease.renew()
    lease.check()
    activate(owner, is_active=False)
    lease.renew()
    with pytest.raises(LeaseLost):
        lease.check()
    lease.release()
    row = latest_revision(owner, "a.pdf")
    assert (row.status, row.lease_token) == ("queued", None)
    activate(owner, is_active=True)
    process_all()
    assert get_document(owner, "a.pdf")["status"] == "ready"
