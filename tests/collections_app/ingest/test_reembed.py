"""After a change of the model, shown documents are embedded again, and stay searchable meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.ingest import reembed
from collections_app.models import Collection, Document, Page, PageEmbedding, Revision
from embeddings.contract import VectorSpace
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import assert_consistent, embeddings_reply, process_all, shown_texts
from tests.embeddings.scripted import ReceivedRequest, Reply, ScriptedServer, scripted
from tests.environment import Services

TINY = (72, 72)
OLD, NEW = VectorSpace("old", "1", 4), VectorSpace("new", "1", 8)
TEXTS = [f"page {number}" for number in range(1, 11)]  # two batches


@contextmanager
def model(settings: Settings, space: VectorSpace, *, fails_after: int = 1000) -> Iterator[ScriptedServer]:
    """Run an embeddings service with a model of this space, which fails after so many requests."""

    def reply(asked: ReceivedRequest) -> Reply:
        failed = len(server.requests) > fails_after
        return Reply.json({"detail": "No."}, status=422) if failed else embeddings_reply(space, asked)

    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        yield server


@pytest.fixture
def owner(alice: Someone, settings: Settings) -> Iterator[Someone]:
    """Alice, with documents that were embedded by the old model."""
    with model(settings, OLD):
        put(alice, "a.pdf", pdf(*TEXTS, size=TINY), collection="reports")
        put(alice, "b.pdf", pdf("b", size=TINY), collection="reports")
        put(alice, "c.pdf", pdf("c", size=TINY), collection="others")
        process_all()
    yield alice
    assert_consistent(alice)


def spaces(who: Someone, collection: str) -> set[str]:
    """Return the models of the vectors that the collection shows."""
    with acting_for(who.id):
        shown = Document.objects.filter(owner_id=who.id, collection__name=collection).values("shown")
        rows = PageEmbedding.objects.filter(owner_id=who.id, page__revision__in=shown)
        return set(rows.values_list("space__model", flat=True))


def seq(who: Someone, collection: str) -> int:
    with acting_for(who.id):
        return Collection.objects.get(owner_id=who.id, name=collection).vectors_seq


def test_collection_changes_its_model_as_a_whole_and_nothing_else_changes(
    owner: Someone, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before, number = owner.get("/v1/documents/?collection_name=reports").json(), seq(owner, "reports")
    with model(settings, NEW):
        call_command("reembed", collection="reports")
        assert "reports: 2 documents, 11 pages re-embedded." in capsys.readouterr().out
        call_command("reembed", collection="reports")
        assert "Nothing to do" in capsys.readouterr().out
    assert (spaces(owner, "reports"), spaces(owner, "others")) == ({"new"}, {"old"})
    assert shown_texts(owner, "a.pdf") == TEXTS
    assert seq(owner, "reports") == number + 1
    changing = {"url", "updated_at"}
    after = owner.get("/v1/documents/?collection_name=reports").json()
    assert [{k: v for k, v in document.items() if k not in changing} for document in after] == [
        {k: v for k, v in document.items() if k not in changing} for document in before
    ]
    with acting_for(owner.id):
        assert Revision.objects.filter(owner_id=owner.id).count() == 3


def test_interrupted_run_continues_and_old_vectors_stay_until_the_end(owner: Someone, settings: Settings) -> None:
    with model(settings, NEW, fails_after=2), pytest.raises(CommandError, match="run the command again"):
        call_command("reembed", all=True)
    assert spaces(owner, "reports") | spaces(owner, "others") == {"old"}
    with acting_for(owner.id):
        assert Page.objects.filter(owner_id=owner.id).count() == 12 + 8
    assert_consistent(owner)
    with model(settings, NEW) as server:
        call_command("reembed", all=True)
    requests = [request.json() for request in server.requests if request.json()["input_type"] == "image"]
    assert sum(len(request["inputs"]) for request in requests) == 12 - 8
    assert spaces(owner, "reports") == spaces(owner, "others") == {"new"}


def upload(who: Someone) -> None:
    put(who, "a.pdf", pdf("newer", size=TINY), collection="reports")
    process_all()


def delete(who: Someone) -> None:
    assert who.delete("/v1/documents/a.pdf/?collection_name=reports").status_code == 204


@pytest.mark.parametrize("act", [upload, delete])
def test_concurrent_changes_win(owner: Someone, settings: Settings, act: Callable[[Someone], None]) -> None:
    with model(settings, NEW):
        space_id = reembed.current_space_id()
        (place,) = reembed.outdated_collections(space_id, email="alice@example.com", collection_name="reports")
        steps = reembed.run(place, space_id)
        assert next(steps) == 8
        act(owner)
        list(steps)
    assert spaces(owner, "reports") == {"new"}
    if act is upload:
        assert shown_texts(owner, "a.pdf") == ["newer"]
    assert_consistent(owner)


def test_failed_update_stays_the_latest_revision(owner: Someone, settings: Settings) -> None:
    put(owner, "c.pdf", pdf("secret", encrypt=True), collection="others")
    process_all()
    with model(settings, NEW):
        call_command("reembed", collection="others")
    found = owner.get("/v1/documents/c.pdf/?collection_name=others").json()
    assert (found["status"], found["num_pages"], spaces(owner, "others")) == ("failed", 1, {"new"})


def test_concurrent_runs_are_refused(owner: Someone, settings: Settings, services: Services) -> None:
    with acting_for(owner.id):
        collection_id = Collection.objects.get(owner_id=owner.id, name="others").pk
    with psycopg.connect(services.app_url) as other, model(settings, NEW):
        other.execute("SELECT pg_advisory_lock(%s, %s)", [reembed.LOCK_CLASS, collection_id])
        with pytest.raises(CommandError, match="being_reembedded"):
            call_command("reembed", collection="others")
    assert spaces(owner, "others") == {"old"}


def test_command_requires_a_scope_and_reports_errors(owner: Someone, settings: Settings) -> None:
    with pytest.raises(CommandError, match="Choose what"):
        call_command("reembed")
    settings.ENV = replace(settings.ENV, embeddings_url="http://127.0.0.1:1")
    with pytest.raises(CommandError, match="embeddings_unavailable"):
        call_command("reembed", all=True)


def test_compact_collection_stays_compact(owner: Someone, settings: Settings) -> None:
    call_command("recode", "reports", to="compact")
    with model(settings, NEW):
        call_command("reembed", collection="reports")
    assert spaces(owner, "reports") == {"new"}
    with acting_for(owner.id):
        rows = PageEmbedding.objects.filter(owner_id=owner.id, codes__isnull=False, space__model="new")
        assert rows.count() == 11
