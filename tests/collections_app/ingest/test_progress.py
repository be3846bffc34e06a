"""Following a content to its end."""

from accounts.ownership import acting_for
from collections_app import catalogue
from collections_app.ingest import progress
from collections_app.models import Document
from tests.cast import Someone, someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.searchable import caller_of


def queued(who: Someone) -> Document:
    put(who, "a.pdf", pdf("one"))
    with acting_for(who.id) as tx:
        return catalogue.documents(tx, caller_of(who)).get(name="a.pdf")


def test_where_nothing_new_comes_a_beat_does(alice: Someone) -> None:
    document = queued(alice)
    caller = caller_of(alice)
    followed = progress.follow(caller, document, timeout_s=60, heartbeat_s=0.01)
    now, beat = next(followed), next(followed)
    assert now is not None
    assert (now.status, now.is_over) == ("queued", False)
    assert beat is None


def test_time_ends_it(alice: Someone) -> None:
    document = queued(alice)
    caller = caller_of(alice)
    assert len(list(progress.follow(caller, document, timeout_s=0))) == 1


def test_what_a_key_does_not_reach_any_more_counts_as_deleted(alice: Someone) -> None:
    document = queued(alice)
    elsewhere = caller_of(alice, collections=frozenset({"elsewhere"}))
    stranger = caller_of(someone("stranger@example.com"))
    for caller in (elsewhere, stranger):
        (only,) = progress.follow(caller, document, timeout_s=0)
        assert only is not None
        assert (only.status, only.revision) == ("deleted", None)
