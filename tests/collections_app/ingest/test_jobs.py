"""Operations on revisions that are being processed."""

import pytest

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app import catalogue
from collections_app.errors import DocumentNotFound
from collections_app.ingest import jobs, leases
from collections_app.ingest.errors import NothingToCancel, NothingToRetry, ProcessingFailed
from collections_app.ingest.leases import LeaseLost
from collections_app.models import Document, Status
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import get_document, latest_revision, process_all
from tests.collections_app.searchable import caller_of


def find(caller: Caller, name: str) -> Document:
    with acting_for(caller.owner_id) as tx:
        return catalogue.find_document(tx, caller, name, collection_name="all")


def unfinished(caller: Caller, *, collection_name: str = "all") -> list[str]:
    with acting_for(caller.owner_id) as tx:
        rows = jobs.unfinished(tx, caller, statuses=jobs.UNFINISHED, collection_name=collection_name)
        return sorted(row.document.name for row in rows)


def cancel(caller: Caller, name: str) -> None:
    with acting_for(caller.owner_id) as tx:
        jobs.cancel(tx, caller, name, collection_name="all")


def retry(caller: Caller, name: str) -> None:
    with acting_for(caller.owner_id) as tx:
        jobs.retry(tx, caller, name, collection_name="all")


def test_unfinished_lists_latest_revisions_that_the_key_reaches(owner: Someone, charlie: Someone) -> None:
    put(owner, "ready.pdf", pdf("one"))
    put(owner, "failed.pdf", pdf("secret", encrypt=True))
    process_all()
    put(owner, "queued.pdf", pdf("one"), collection="reports")
    put(charlie, "other.pdf", pdf("one"))
    assert unfinished(caller_of(owner)) == ["failed.pdf", "queued.pdf"]
    assert unfinished(caller_of(owner), collection_name="reports") == ["queued.pdf"]
    assert unfinished(caller_of(owner, collections=frozenset({"default_collection"}))) == ["failed.pdf"]


def test_worker_cannot_write_to_a_cancelled_revision(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    lease = leases.claim()
    assert lease
    cancel(caller_of(owner), "a.pdf")
    with pytest.raises(LeaseLost), lease.transaction() as tx:
        lease.write(tx, pages_done=1)
    assert latest_revision(owner, "a.pdf").status == Status.CANCELLED
    with pytest.raises(NothingToCancel):
        cancel(caller_of(owner), "a.pdf")


def test_retry_resets_attempts_and_error(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("secret", encrypt=True))
    with pytest.raises(NothingToRetry):
        retry(caller_of(owner), "a.pdf")
    process_all()
    assert get_document(owner, "a.pdf")["status"] == "failed"
    retry(caller_of(owner), "a.pdf")
    row = latest_revision(owner, "a.pdf")
    assert (row.status, row.error, row.attempts, row.waits) == (Status.QUEUED, None, 0, 0)


def test_waiting_ends_with_the_document_or_the_reason(owner: Someone) -> None:
    caller = caller_of(owner)
    put(owner, "good.pdf", pdf("one"))
    put(owner, "bad.pdf", pdf("secret", encrypt=True))
    put(owner, "cancelled.pdf", pdf("one"))
    cancel(caller, "cancelled.pdf")
    good = find(caller, "good.pdf")
    assert jobs.wait_for(caller, good, timeout_s=0) is None
    process_all()
    ready = jobs.wait_for(caller, good, timeout_s=0)
    assert ready
    assert ready.shown_id == good.latest_id
    with pytest.raises(ProcessingFailed) as failure:
        jobs.wait_for(caller, find(caller, "bad.pdf"), timeout_s=0)
    assert [problem.code for problem in failure.value.problems] == ["file_encrypted"]
    with pytest.raises(ProcessingFailed, match="cancelled"):
        jobs.wait_for(caller, find(caller, "cancelled.pdf"), timeout_s=0)


def test_waiting_for_a_replaced_or_deleted_revision_ends(owner: Someone) -> None:
    caller = caller_of(owner)
    put(owner, "a.pdf", pdf("old"))
    old = find(caller, "a.pdf")
    put(owner, "a.pdf", pdf("new"))
    assert jobs.wait_for(caller, old, timeout_s=0) is None
    owner.delete("/v1/documents/a.pdf/")
    with pytest.raises(DocumentNotFound):
        jobs.wait_for(caller, old, timeout_s=0)


def test_many_jobs_are_cancelled_with_their_pages_and_announced(owner: Someone) -> None:
    caller = caller_of(owner)
    hook = owner.post("/v1/webhooks/", {"url": "https://93.184.216.34/"}).json()
    for name in ("a.pdf", "b.pdf"):
        put(owner, name, pdf("one"))
    lease = leases.claim()
    assert lease
    ids = [latest_revision(owner, name).pk for name in ("a.pdf", "b.pdf")]
    with acting_for(owner.id) as tx:
        assert jobs.cancel_all(tx, caller, [*ids, 2**62]) == ids
        assert jobs.cancel_all(tx, caller, ids) == []
    with pytest.raises(LeaseLost), lease.transaction() as tx:
        lease.write(tx, pages_done=1)
    sent = owner.get(f"/v1/webhooks/{hook['id']}/deliveries/").json()
    assert [row["event"] for row in sent] == ["document.cancelled"] * 2
    with acting_for(owner.id) as tx:
        assert jobs.retry_all(tx, caller, ids) == ids
    assert {latest_revision(owner, name).status for name in ("a.pdf", "b.pdf")} == {Status.QUEUED}


def test_job_superseded_meanwhile_is_not_changed(owner: Someone) -> None:
    put(owner, "a.pdf", pdf("one"))
    old = latest_revision(owner, "a.pdf").pk
    put(owner, "a.pdf", pdf("two"))
    with acting_for(owner.id) as tx:
        assert jobs.cancel_all(tx, caller_of(owner), [old]) == []
    assert latest_revision(owner, "a.pdf").status == Status.QUEUED
