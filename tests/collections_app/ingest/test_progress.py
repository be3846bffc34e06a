"""Following a revision until its processing ends."""

from accounts.ownership import acting_for
from collections_app import catalogue
from collections_app.ingest import progress
from collections_app.models import Document
from tests.cast import Someone, someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.searchable import caller_of


def put_queued(who: Someone) -> Document:
    put(who, "a.pdf", pdf("one"))
    with acting_for(who.id) as tx:
        return catalogue.documents(tx, caller_of(who)).get(name="a.pdf")


def test_heartbeat_is_sent_if_nothing_changes(alice: Someone) -> None:
    document = put_queued(alice)
    states = progress.follow(caller_of(alice), document, timeout_s=60, heartbeat_s=0.01)
    first, heartbeat = next(states), next(states)
    assert first is not None
    assert (first.status, first.is_over) == ("queued", False)
    assert heartbeat is None


def test_following_ends_when_time_is_up(alice: Someone) -> None:
    document = put_queued(alice)
    assert len(list(progress.follow(caller_of(alice), document, timeout_s=0))) == 1


def test_newer_upload_supersedes_the_revision(alice: Someone) -> None:
    document = put_queued(alice)
    put_queued(alice)
    (only,) = progress.follow(caller_of(alice), document, timeout_s=0)
    assert only is not None
    assert (only.status, only.revision, only.is_over) == ("superseded", None, True)


def test_document_that_the_key_no_longer_reaches_counts_as_deleted(alice: Someone) -> None:
    document = put_queued(alice)
    restricted = caller_of(alice, collections=frozenset({"elsewhere"}))
    other_owner = caller_of(someone("other@example.com"))
    for caller in (restricted, other_owner):
        (only,) = progress.follow(caller, document, timeout_s=0)
        assert only is not None
        assert (only.status, only.revision) == ("deleted", None)
