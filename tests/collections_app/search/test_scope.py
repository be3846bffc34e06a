"""Which pages a search may see."""

import pytest

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine.input import filter_parser
from collections_app.models import Document, Revision
from collections_app.search import scope
from collections_app.search.scope import Scope
from embeddings import contract
from tests.cast import Someone
from tests.collections_app.documents import PDF, put
from tests.collections_app.search.by_page import QUERY_VECTORS, page_ids, random_pages, search_by_page, store_query_page
from tests.collections_app.searchable import TOY, caller_of, with_vectors


@pytest.mark.parametrize(
    ("requested", "readable", "names"),
    [
        (None, None, None),
        ({"all"}, None, None),
        ({"a", "all"}, {"b"}, {"b"}),
        ({"a", "b"}, None, {"a", "b"}),
        ({"a", "b"}, {"b", "c"}, {"b"}),
        ({"a\0", "b"}, None, {"b"}),
        (None, {"b"}, {"b"}),
        ({"a"}, set(), set()),
    ],
)
def test_collection_names_are_limited_by_request_and_key(
    alice: Someone, requested: set[str] | None, readable: set[str] | None, names: set[str] | None
) -> None:
    caller = caller_of(alice, collections=None if readable is None else frozenset(readable))
    requested_scope = Scope(collections=None if requested is None else frozenset(requested))
    result = scope.collection_names(caller, requested_scope)
    assert (None if result is None else set(result)) == names


def test_collections_and_filters_narrow_the_scope(alice: Someone) -> None:
    (old,) = with_vectors(alice, "old", random_pages(1, count=1), collection="a", metadata={"year": 2020})
    (new,) = with_vectors(alice, "new", random_pages(2, count=1), collection="b", metadata={"year": 2026})
    (other,) = with_vectors(alice, "other", random_pages(3, count=1), collection="c", metadata={"year": 2026})
    since = filter_parser.parse({"key": "year", "op": "gte", "value": 2021})
    either = filter_parser.parse({"or": [{"key": "year", "value": 2020}, {"not": {"key": "year", "op": "exists"}}]})
    several = frozenset({"a", "b", "missing", "a\0"})
    assert set(page_ids(search_by_page(alice, collections=several))) == {old, new}
    assert set(page_ids(search_by_page(alice, collections=frozenset({"all"})))) == {old, new, other}
    assert set(page_ids(search_by_page(alice, query_filter=since))) == {new, other}
    assert set(page_ids(search_by_page(alice, query_filter=either))) == {old}
    assert page_ids(search_by_page(alice, query_filter=since, collections=frozenset({"a"}))) == []
    assert page_ids(search_by_page(alice, collections=frozenset({"missing"}))) == []


def test_filter_that_matches_one_document_of_many(alice: Someone) -> None:
    for number in range(10):
        with_vectors(alice, f"d{number}", random_pages(number, count=10), metadata={"number": number})
    result = search_by_page(alice, query_filter=filter_parser.parse({"key": "number", "value": 7}), top_k=3)
    assert {hit.page.document_name for hit in result.hits} == {"d7"}
    assert (len(result.hits), result.receipt.pages_in_scope) == (3, 10)


def test_key_limited_to_collections_finds_nothing_elsewhere(alice: Someone) -> None:
    store_query_page(alice)
    (readable,) = with_vectors(alice, "readable", random_pages(1, count=1), collection="readable")
    with_vectors(alice, "hidden", random_pages(2, count=1), collection="hidden")
    key_collections = frozenset({"readable", "queries"})
    for collections in (None, frozenset({"readable", "hidden"})):
        result = search_by_page(alice, key_collections=key_collections, collections=collections)
        assert page_ids(result) == [readable]
    assert page_ids(search_by_page(alice, key_collections=key_collections, collections=frozenset({"hidden"}))) == []


def test_pages_of_other_owners_are_never_found(alice: Someone, charlie: Someone) -> None:
    with_vectors(charlie, "of-charlie", [QUERY_VECTORS], collection="shared-name")
    (own,) = with_vectors(alice, "own", random_pages(1, count=1), collection="shared-name")
    result = search_by_page(alice, collections=frozenset({"shared-name"}))
    assert page_ids(result) == [own]
    assert result.receipt.pages_in_scope == 1


def test_pages_of_other_owners_are_not_found_without_row_level_security(alice: Someone, charlie: Someone) -> None:
    with_vectors(charlie, "of-charlie", [QUERY_VECTORS])
    (own,) = with_vectors(alice, "own", random_pages(1, count=1))
    with acting_as_staff():
        assert page_ids(search_by_page(alice)) == [own]


def test_has_vectors_considers_collections_and_shown_revisions(alice: Someone, charlie: Someone) -> None:
    with_vectors(charlie, "x", random_pages(1, count=1))
    with_vectors(alice, "x", random_pages(1, count=1), collection="a")
    with_vectors(alice, "y", [None], collection="b")
    caller = caller_of(alice)
    with acting_for(alice.id) as tx:
        assert scope.has_vectors(tx, caller, Scope())
        assert scope.has_vectors(tx, caller, Scope(collections=frozenset({"a"})))
        assert not scope.has_vectors(tx, caller, Scope(collections=frozenset({"b"})))
        assert not scope.has_vectors(tx, caller_of(alice, collections=frozenset({"b"})), Scope())
        Document.objects.filter(owner_id=alice.id, name="x").update(shown=None)
        assert not scope.has_vectors(tx, caller, Scope())


def test_collection_versions_name_the_space_if_it_is_known(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(1, count=1), collection="a")
    unknown = contract.VectorSpace("unknown", "1", TOY.dim)
    with acting_for(alice.id) as tx:
        space_id, versions = scope.collection_versions(tx, caller_of(alice), Scope(), TOY)
        assert space_id is not None
        assert all(version.vectors_seq > 0 for version in versions)
        assert scope.collection_versions(tx, caller_of(alice), Scope(), unknown)[0] is None
        nowhere = Scope(collections=frozenset({"missing"}))
        assert scope.collection_versions(tx, caller_of(alice), nowhere, TOY) == (None, [])


def test_documents_of_pages_leaves_out_missing_pages_and_other_owners(alice: Someone, charlie: Someone) -> None:
    own = with_vectors(alice, "x", random_pages(1, count=2))
    others = with_vectors(charlie, "x", random_pages(1, count=1))
    with acting_for(alice.id) as tx:
        document = Document.objects.get(owner_id=alice.id, name="x")
        assert scope.documents_of(tx, [*own, *others, 0]) == dict.fromkeys(own, document.pk)


def test_pages_are_counted_as_they_are_listed(alice: Someone, charlie: Someone) -> None:
    first, _ = with_vectors(alice, "old", random_pages(1, count=2), collection="a", metadata={"year": 2020})
    with_vectors(alice, "new", random_pages(2, count=3), collection="b")
    with_vectors(charlie, "other", random_pages(3, count=1), collection="a")
    put(alice, "waiting", PDF, collection="a")
    with acting_for(alice.id) as tx:
        skipped = [{"page": 3, "code": "page_too_large", "detail": ""}]
        Revision.objects.filter(owner_id=alice.id, document__name="old").update(pages_total=3, skipped=skipped)
        is_old = filter_parser.parse({"key": "year", "value": 2020})
        for where, count in (
            (Scope(), 5),
            (Scope(collections=frozenset({"a"})), 2),
            (Scope(filter=is_old, excluded_page_ids=frozenset({first})), 1),
            (Scope(collections=frozenset({"b"}), excluded_page_ids=frozenset({first})), 3),
            (Scope(collections=frozenset()), 0),
        ):
            assert scope.count_pages(tx, caller_of(alice), where) == count
            assert scope.pages(tx, caller_of(alice), where).count() == count
