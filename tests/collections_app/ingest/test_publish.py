"""A new revision replaces the one that a document shows, all at once."""

import pytest

from accounts.ownership import acting_for
from collections_app.ingest import leases
from collections_app.ingest.publish import PagesMissing, publish
from collections_app.models import Collection, Revision
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import get_document, latest_revision, process_all, shown_texts


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
