"""The rows of hits: only pages that are shown and that the caller may read."""

from accounts.ownership import acting_as_staff, acting_for
from collections_app.models import Document
from collections_app.search import HitPage, hit_rows
from tests.cast import Someone
from tests.collections_app.search.by_page import random_pages, search_by_page
from tests.collections_app.searchable import caller_of, with_vectors


def read(
    who: Someone, page_ids: list[int], *, collections: frozenset[str] | None = None, with_text: bool = False
) -> dict[int, HitPage]:
    with acting_for(who.id) as tx:
        return hit_rows.read(tx, caller_of(who, collections=collections), page_ids, with_text=with_text)


def test_rows_have_the_document_the_collection_and_the_image(alice: Someone) -> None:
    _, second = with_vectors(alice, "x", random_pages(1, count=2), collection="a", metadata={"year": 2026})
    page = read(alice, [second])[second]
    assert (page.pk, page.owner_id, page.number, page.text) == (second, alice.id, 2, None)
    assert (page.document_name, page.document_metadata) == ("x", {"year": 2026})
    assert page.collection_name == "a"
    assert page.image.key
    assert page.image.size > 0


def test_text_is_read_only_on_request(alice: Someone) -> None:
    (page_id,) = with_vectors(alice, "x", random_pages(1, count=1), texts=["a lighthouse"])
    assert read(alice, [page_id])[page_id].text is None
    assert read(alice, [page_id], with_text=True)[page_id].text == "a lighthouse"
    assert search_by_page(alice).hits[0].page.text is None
    assert search_by_page(alice, include=frozenset({"text"})).hits[0].page.text == "a lighthouse"


def test_hidden_pages_are_left_out(alice: Someone, charlie: Someone) -> None:
    (own,) = with_vectors(alice, "x", random_pages(1, count=1), collection="a")
    (other,) = with_vectors(charlie, "x", random_pages(1, count=1), collection="a")
    assert read(alice, []) == {}
    assert set(read(alice, [own, other])) == {own}
    with acting_as_staff():
        assert set(read(alice, [own, other])) == {own}
    assert set(read(alice, [own], collections=frozenset({"a"}))) == {own}
    assert read(alice, [own], collections=frozenset({"b"})) == {}
    with acting_for(alice.id) as tx:
        assert hit_rows.read(tx, caller_of(alice), [own], collections=["b"], with_text=False) == {}
    with acting_for(alice.id):
        Document.objects.filter(owner_id=alice.id).update(shown=None)
    assert read(alice, [own]) == {}
