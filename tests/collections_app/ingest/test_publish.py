"""A new revision replaces the one that a document shows, all at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.ownership import acting_for
from collections_app import catalogue
from collections_app.ingest import leases
from collections_app.ingest.publish import PagesMissing, RetryStore, publish
from collections_app.models import Collection, Revision
from paliapi.stack import processes
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import get_document, latest_revision, process_all, shown_texts
from tests.collections_app.searchable import caller_of
from tests.statements import is_somebody_waiting_for_a_lock


def test_shown_revision_stays_until_the_new_one_is_ready(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("old one", "old two"), metadata={"version": 1})
    process_all()
    with acting_for(owner.id):
        seq = Collection.objects.get(owner_id=owner.id).vectors_seq
    put(owner, "report.pdf", pdf("new"), metadata={"version": 2})
    document = get_document(owner, "report.pdf")
    assert (document["status"], document["num_pages"], document["metadata"]) == ("queued", 2, {"version": 1})
    assert shown_texts(owner, "report.pdf") == ["old one", "old two"]
    process_all()
    document = get_document(owner, "report.pdf")
    assert (document["status"], document["num_pages"], document["metadata"]) == ("ready", 1, {"version": 2})
    assert shown_texts(owner, "report.pdf") == ["new"]
    with acting_for(owner.id):
        assert Collection.objects.get(owner_id=owner.id).vectors_seq == seq + 1
        assert Revision.objects.filter(owner_id=owner.id).count() == 1


def test_uploads_that_were_never_shown_leave_no_revisions(owner: Someone) -> None:
    put(owner, "report.pdf", b"%PDF-1.7 damaged")
    process_all()
    assert get_document(owner, "report.pdf")["status"] == "failed"
    put(owner, "report.pdf", pdf("waits"))
    put(owner, "report.pdf", pdf("newest"))
    process_all()
    assert shown_texts(owner, "report.pdf") == ["newest"]
    with acting_for(owner.id):
        assert Revision.objects.filter(owner_id=owner.id).count() == 1


def test_incomplete_revision_is_not_published(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("old"))
    process_all()
    put(owner, "report.pdf", pdf("one", "two"))
    lease = leases.claim()
    assert lease
    with pytest.raises(PagesMissing):
        publish(lease, timings={})
    assert shown_texts(owner, "report.pdf") == ["old"]
    assert latest_revision(owner, "report.pdf").lease_token == lease.token, "nothing was written"


def test_revision_of_a_document_that_is_being_moved_is_published_where_it_is_then(real_owner: Someone) -> None:
    put(real_owner, "report.pdf", pdf("one"))
    assert real_owner.post("/v1/collections/", {"name": "later"}).status_code == 201
    lease = leases.claim()
    assert lease

    def published() -> None:
        try:
            publish(lease, timings={})
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with acting_for(real_owner.id) as tx:
            caller = caller_of(real_owner)
            found = catalogue.find_document(tx, caller, "report.pdf", collection_name="all")
            document, target = catalogue.lock_document_to_move(tx, caller, found, to="later")
            publishing = pool.submit(published)
            assert processes.wait_until(is_somebody_waiting_for_a_lock, within_s=60)
            catalogue.change_document(tx, document, new_name=None, metadata=None, collection=target)
        with pytest.raises(RetryStore):
            publishing.result(timeout=30)
    lease.release()
    process_all()
    assert shown_texts(real_owner, "report.pdf") == ["one"]
    with acting_for(real_owner.id):
        seqs = dict(Collection.objects.filter(owner_id=real_owner.id).values_list("name", "vectors_seq"))
    assert seqs == {"default_collection": 1, "later": 2}
