"""Regions of hits, with the text in them."""

from accounts.ownership import acting_for
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.regions import find_regions
from embeddings.contract import Layout
from tests.cast import Someone
from tests.collections_app.searchable import TOY, random_vectors, with_vectors

VECTORS = random_vectors(0, count=2)
LAYOUT: Layout = {"kind": "boxes", "boxes": [[0.1, 0.1, 0.3, 0.2], [0.6, 0.6, 0.9, 0.7]]}


def test_regions_are_found_on_pages_with_a_layout(alice: Someone) -> None:
    with_layout, without_layout, without_vectors = with_vectors(
        alice, "x", [VECTORS, VECTORS, None], layouts=[LAYOUT, None, None]
    )
    with acting_for(alice.id) as tx:
        query = QueryVectors(TOY, VECTORS[:1])
        by_page = find_regions(tx, query, [with_layout, without_layout, without_vectors])
    assert set(by_page) == {with_layout, without_layout}
    best, *_ = by_page[with_layout].regions.regions
    assert [round(edge, 3) for edge in best.box] == [0.1, 0.1, 0.3, 0.2]
    assert len(by_page[with_layout].texts) == len(by_page[with_layout].regions.regions)
    assert by_page[without_layout].regions.regions == ()


def test_regions_of_other_owners_are_not_read(alice: Someone, charlie: Someone) -> None:
    (page_id,) = with_vectors(charlie, "x", [VECTORS], layouts=[LAYOUT])
    with acting_for(alice.id) as tx:
        assert find_regions(tx, QueryVectors(TOY, VECTORS), [page_id]) == {}
