"""Queries and properties of the models."""

from typing import Any

import pytest

from accounts.ownership import acting_for
from collections_app.models import Collection, Document, OnPageError, Revision, Space, Status
from tests.cast import Someone
from tests.collections_app.documents import PDF, put, shown_with_pages
from tests.collections_app.searchable import caller_of


def test_rows_are_visible_to_their_owner_and_within_the_limits_of_a_key(alice: Someone, charlie: Someone) -> None:
    for who, collection in ((alice, "reports"), (alice, "letters"), (charlie, "reports")):
        put(who, "a.pdf", PDF, collection=collection)
    limited = caller_of(alice, collections=frozenset({"letters"}))
    with acting_for(alice.id):
        assert {row.name for row in Collection.objects.visible_to(caller_of(alice))} == {"reports", "letters"}
        assert [row.name for row in Collection.objects.visible_to(limited)] == ["letters"]
        assert Document.objects.visible_to(caller_of(alice)).count() == 2
        assert [row.collection.name for row in Document.objects.visible_to(limited)] == ["letters"]


def test_all_means_every_collection(alice: Someone) -> None:
    for collection in ("reports", "letters"):
        put(alice, "a.pdf", PDF, collection=collection)
    with acting_for(alice.id):
        documents = Document.objects.filter(owner_id=alice.id)
        assert documents.in_collection("all").count() == 2
        assert [row.collection.name for row in documents.in_collection("reports")] == ["reports"]


def test_name_that_postgres_cannot_store_matches_nothing(alice: Someone) -> None:
    put(alice, "a.pdf", PDF)
    with acting_for(alice.id):
        assert not Document.objects.named("a\0").exists()
        assert not Document.objects.in_collection("a\0").exists()
        assert not Collection.objects.named("a\0").exists()


def test_collections_count_their_documents(alice: Someone) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, PDF, collection="reports")
    with acting_for(alice.id):
        collection: Any = Collection.objects.with_counts().get(name="reports")
        assert collection.num_documents == 2


def test_state_of_a_document_needs_one_query(alice: Someone, django_assert_num_queries: Any) -> None:
    shown_with_pages(alice, "a.pdf", pages=1)
    with acting_for(alice.id), django_assert_num_queries(1):
        document = Document.objects.filter(owner_id=alice.id).with_state().get()
        assert document.shown
        assert document.latest
        assert document.shown.file == document.latest.file
        assert document.collection.name == "default_collection"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 0),
        ({"pages_total": 5}, 5),
        ({"pages_total": 5, "skipped": [{"page": 2}, {"page": 4}], "on_page_error": OnPageError.SKIP}, 3),
    ],
)
def test_skipped_pages_are_not_stored(fields: dict[str, Any], expected: int) -> None:
    assert Revision(**fields).stored_pages == expected


def test_rows_have_readable_names() -> None:
    assert str(Space(model="colpali", revision="abc", dim=128)) == "colpali at abc (128)"
    assert str(Space(dim=128)) == "unnamed at no revision (128)"
    assert str(Revision(pk=7, status=Status.READY)) == "revision 7 (ready)"
