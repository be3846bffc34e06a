"""Operations on collections and documents."""

from collections.abc import Iterator

import pytest

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import usage
from collections_app import catalogue
from collections_app.errors import (
    CollectionNameTaken,
    CollectionNotFound,
    CollectionOutOfReach,
    DocumentAmbiguous,
    DocumentNameTaken,
    DocumentNotFound,
)
from collections_app.models import Collection, Document, Revision
from tests.cast import Someone
from tests.collections_app.documents import PDF, put, shown_with_pages
from tests.collections_app.searchable import caller_of


@pytest.fixture
def caller(alice: Someone) -> Caller:
    return caller_of(alice)


@pytest.fixture
def tx(alice: Someone) -> Iterator[OwnerTransaction]:
    with acting_for(alice.id) as transaction:
        yield transaction


class Refused(Exception):
    """Raised by a precondition."""


def refuse(_row: Collection | Document) -> None:
    raise Refused


def test_collection_is_created_once(tx: OwnerTransaction, caller: Caller) -> None:
    created = catalogue.create_collection(tx, caller, name="reports", metadata={"year": 2026})
    assert (created.name, created.metadata) == ("reports", {"year": 2026})
    with pytest.raises(CollectionNameTaken):
        catalogue.create_collection(tx, caller, name="reports", metadata={})
    assert list(catalogue.collections(tx, caller)) == [created]


def test_collection_is_renamed_unless_the_name_is_taken(tx: OwnerTransaction, caller: Caller) -> None:
    for name in ("reports", "letters"):
        catalogue.create_collection(tx, caller, name=name, metadata={})
    with pytest.raises(CollectionNameTaken):
        catalogue.change_collection(
            tx, caller, "reports", new_name="letters", metadata=None, precondition=catalogue.unconditional
        )
    changed = catalogue.change_collection(
        tx, caller, "reports", new_name="memos", metadata={"a": 1}, precondition=catalogue.unconditional
    )
    assert (changed.name, changed.metadata) == ("memos", {"a": 1})
    with pytest.raises(CollectionNotFound):
        catalogue.find_collection(tx, caller, "reports")


def test_failed_precondition_prevents_changes(alice: Someone, caller: Caller) -> None:
    put(alice, "a.pdf", PDF, collection="reports")
    with acting_for(alice.id) as tx:
        with pytest.raises(Refused):
            catalogue.change_collection(tx, caller, "reports", new_name="memos", metadata=None, precondition=refuse)
        with pytest.raises(Refused):
            catalogue.delete_collection(tx, caller, "reports", precondition=refuse)
        with pytest.raises(Refused):
            catalogue.delete_document(tx, caller, "a.pdf", collection_name="reports", precondition=refuse)
        assert catalogue.find_document(tx, caller, "a.pdf", collection_name="reports").name == "a.pdf"


def test_key_with_limits_reaches_only_its_collections(alice: Someone) -> None:
    for collection in ("reports", "letters"):
        put(alice, "a.pdf", PDF, collection=collection)
    caller = caller_of(alice, collections=frozenset({"reports"}))
    with acting_for(alice.id) as tx:
        assert [row.name for row in catalogue.collections(tx, caller)] == ["reports"]
        assert catalogue.find_document(tx, caller, "a.pdf", collection_name="all").collection.name == "reports"
        with pytest.raises(DocumentNotFound):
            catalogue.find_document(tx, caller, "a.pdf", collection_name="letters")
        with pytest.raises(CollectionOutOfReach):
            catalogue.create_collection(tx, caller, name="memos", metadata={})
        with pytest.raises(CollectionOutOfReach):
            catalogue.change_collection(
                tx, caller, "reports", new_name="memos", metadata=None, precondition=catalogue.unconditional
            )


def test_name_in_several_collections_is_ambiguous(alice: Someone, caller: Caller) -> None:
    for collection in ("reports", "letters"):
        put(alice, "a.pdf", PDF, collection=collection)
    with acting_for(alice.id) as tx:
        with pytest.raises(DocumentAmbiguous):
            catalogue.find_document(tx, caller, "a.pdf", collection_name="all")
        with pytest.raises(DocumentAmbiguous):
            catalogue.find_document_to_change(tx, caller, "a.pdf", collection_name=None)
    put(alice, "a.pdf", PDF)
    with acting_for(alice.id) as tx:
        document = catalogue.find_document_to_change(tx, caller, "a.pdf", collection_name=None)
        assert document.collection.name == catalogue.DEFAULT_COLLECTION


def test_metadata_also_replaces_that_of_a_revision_in_processing(alice: Someone, caller: Caller) -> None:
    put(alice, "a.pdf", PDF, metadata={"year": 2025})
    with acting_for(alice.id) as tx:
        document = catalogue.find_document(tx, caller, "a.pdf", collection_name=catalogue.DEFAULT_COLLECTION)
        catalogue.change_document(tx, catalogue.lock_document(tx, document), new_name="b.pdf", metadata={"year": 2026})
        assert Revision.objects.get(owner_id=alice.id).metadata == {"year": 2026}
        assert catalogue.find_document(tx, caller, "b.pdf", collection_name="all").metadata == {"year": 2026}


def test_document_cannot_take_the_name_of_another(alice: Someone, caller: Caller) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, PDF)
    with acting_for(alice.id) as tx:
        document = catalogue.find_document(tx, caller, "a.pdf", collection_name="all")
        with pytest.raises(DocumentNameTaken):
            catalogue.change_document(tx, document, new_name="b.pdf", metadata=None)


def test_deleting_a_document_releases_its_quota_and_invalidates_the_index(alice: Someone, caller: Caller) -> None:
    document = shown_with_pages(alice, "a.pdf", pages=3)
    with acting_for(alice.id) as tx:
        before = Collection.objects.get(pk=document.collection_id).vectors_seq
        catalogue.delete_document(tx, caller, "a.pdf", collection_name="all", precondition=catalogue.unconditional)
        assert Collection.objects.get(pk=document.collection_id).vectors_seq == before + 1
        stored = usage(tx)
        assert (stored.documents, stored.pages, stored.bytes) == (0, 0, 0)
        with pytest.raises(DocumentNotFound):
            catalogue.lock_document(tx, document)
