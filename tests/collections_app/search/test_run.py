"""Searches from request to result, over known vectors."""

import tracemalloc
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.models import Collection, Document, Page, PageEmbedding, Revision, Status
from collections_app.search import HitPage, SearchRequest, TextQuery, hit_rows, search
from collections_app.search.errors import RankingNeedsWords, SearchTookTooLong
from embeddings import contract
from tests.cast import Someone
from tests.collections_app.documents import PDF, put, shown_with_pages
from tests.collections_app.search.by_page import PAGE_QUERY, QUERY_VECTORS, page_ids, random_pages, search_by_page
from tests.collections_app.searchable import TOY, caller_of, random_vectors, with_vectors
from tests.environment import Services


def test_receipt_reports_how_the_result_was_obtained(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(1, count=75))
    receipt = search_by_page(alice).receipt
    assert (receipt.mode, receipt.ranking, receipt.degraded, receipt.space) == ("exact", "maxsim", False, TOY)
    assert (receipt.pages_in_scope, receipt.pages_scored, receipt.pages_left_out) == (75, 75, 0)
    assert receipt.pages_matched is None
    assert receipt.vector_storage == "full"
    assert receipt.vectors_per_page is not None
    assert set(receipt.stopwatch.ms) == {"query", "index", "score", "fetch"}


def test_queried_page_is_not_a_hit(alice: Someone) -> None:
    (twin,) = with_vectors(alice, "twin.pdf", [QUERY_VECTORS])
    result = search_by_page(alice)
    assert page_ids(result) == [twin]
    assert result.hits[0].normalized_score == pytest.approx(1, abs=1e-3)


def test_only_shown_revisions_are_found(alice: Someone) -> None:
    (shown,) = with_vectors(alice, "x", random_pages(1, count=1))
    with_vectors(alice, "new", [QUERY_VECTORS])
    with acting_for(alice.id):
        Document.objects.filter(owner_id=alice.id, name="new").update(shown=None)
        Revision.objects.filter(owner_id=alice.id, document__name="new").update(status=Status.EMBEDDING)
    assert page_ids(search_by_page(alice)) == [shown]


def test_deletions_moves_and_replacements_take_effect_with_the_next_search(alice: Someone) -> None:
    (first,) = with_vectors(alice, "x", random_pages(1, count=1), collection="a")
    (second,) = with_vectors(alice, "y", random_pages(2, count=1), collection="a")
    assert set(page_ids(search_by_page(alice))) == {first, second}
    assert alice.delete("/v1/documents/x/?collection_name=a").status_code == 204
    assert page_ids(search_by_page(alice)) == [second]
    (replaced,) = with_vectors(alice, "y", random_pages(3, count=1), collection="a")
    assert page_ids(search_by_page(alice)) == [replaced]
    assert alice.patch("/v1/collections/a/", {"name": "b"}).status_code == 200
    assert page_ids(search_by_page(alice, collections=frozenset({"a"}))) == []
    assert page_ids(search_by_page(alice, collections=frozenset({"b"}))) == [replaced]
    assert alice.delete("/v1/collections/b/").status_code == 204
    assert page_ids(search_by_page(alice)) == []


def test_search_is_repeated_if_a_revision_is_replaced_meanwhile(
    alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = with_vectors(alice, "x", [QUERY_VECTORS])
    (new,) = with_vectors(alice, "x", [QUERY_VECTORS])
    with acting_for(alice.id):
        revisions = dict(Page.objects.filter(pk__in=[old, new]).values_list("pk", "revision_id"))
    search_by_page(alice)
    swaps = iter([old, new, old])
    read = hit_rows.read

    def swap_and_read(*args: Any, **options: Any) -> dict[int, HitPage]:
        # Between scoring and reading the hits.
        if shown := next(swaps, None):
            Document.objects.filter(owner_id=alice.id, name="x").update(shown=revisions[shown])
        return read(*args, **options)

    monkeypatch.setattr(hit_rows, "read", swap_and_read)
    assert page_ids(search_by_page(alice)) == []  # replaced in each of three attempts
    assert page_ids(search_by_page(alice)) == [old]
    swaps = iter([new])
    assert page_ids(search_by_page(alice)) == [new]


def test_replaced_revisions_that_still_exist_are_not_found(alice: Someone) -> None:
    (old,) = with_vectors(alice, "x", [QUERY_VECTORS])
    document = shown_with_pages(alice, "x", pages=1)
    with acting_for(alice.id):
        assert PageEmbedding.objects.filter(owner_id=alice.id, page_id=old).exists()
        assert Document.objects.get(owner_id=alice.id, pk=document.pk).shown_id is not None
    result = search_by_page(alice)
    assert page_ids(result) == []
    assert result.receipt.pages_left_out == 1


def test_pages_without_vectors_are_left_out_and_counted(alice: Someone) -> None:
    first, _, third = with_vectors(alice, "x", [random_vectors(1, count=2), None, random_vectors(2, count=2)])
    with_vectors(alice, "none", [None])
    result = search_by_page(alice)
    assert set(page_ids(result)) == {first, third}
    assert (result.receipt.pages_in_scope, result.receipt.pages_left_out) == (4, 2)


def test_vectors_of_another_space_are_left_out_and_counted(alice: Someone) -> None:
    (comparable,) = with_vectors(alice, "x", random_pages(1, count=1))
    other_spaces = [contract.VectorSpace(TOY.model, "2", TOY.dim), contract.VectorSpace("another", "1", TOY.dim)]
    for number, space in enumerate(other_spaces):
        with_vectors(alice, f"other-{number}", [QUERY_VECTORS], space=space)
    result = search_by_page(alice)
    assert page_ids(result) == [comparable]
    assert (result.receipt.pages_scored, result.receipt.pages_left_out) == (1, 2)


def test_vectors_that_do_not_fit_their_space_are_left_out(alice: Someone) -> None:
    readable, too_wide, empty = with_vectors(
        alice, "x", [random_vectors(1, count=2), random_vectors(2, count=2, dim=9), random_vectors(3, count=1)]
    )
    with acting_for(alice.id), connection.cursor() as cursor:
        cursor.execute("UPDATE collections_app_pageembedding SET vectors = '{}' WHERE page_id = %s", [empty])
    result = search_by_page(alice)
    assert page_ids(result) == [readable]
    assert result.receipt.pages_left_out == 2
    assert too_wide != readable


def test_model_is_not_called_if_no_page_has_vectors(alice: Someone) -> None:
    put(alice, "queued", PDF)
    with_vectors(alice, "none", [None])
    result = search(caller_of(alice), SearchRequest(query=TextQuery("anything?", at="/query")))
    receipt = result.receipt
    assert result.hits == []
    assert (receipt.space, receipt.pages_in_scope, receipt.pages_left_out) == (None, 1, 1)
    assert (receipt.ranking, receipt.mode) == ("maxsim", "exact")


@pytest.mark.parametrize("ranking", ["hybrid", "lexical"])
def test_rankings_by_text_need_text(alice: Someone, ranking: str) -> None:
    with pytest.raises(RankingNeedsWords):
        search_by_page(alice, ranking=ranking)


def test_hits_need_no_further_queries(alice: Someone) -> None:
    for number in range(3):
        with_vectors(alice, f"d{number}", random_pages(number, count=2), collection=f"c{number}")
    hits = search_by_page(alice).hits
    with CaptureQueriesContext(connection) as queries:
        shown = [(hit.page.collection_name, hit.page.image.size) for hit in hits]
    assert (len(shown), len(queries)) == (6, 0)


def test_memory_does_not_grow_with_the_scope(alice: Someone) -> None:
    space = contract.VectorSpace("wide", "1", 128)
    page = random_vectors(1, count=512, dim=128)
    with_vectors(alice, PAGE_QUERY.document_name, [page], collection=PAGE_QUERY.collection_name, space=space)
    with_vectors(alice, "x", [page] * 200, space=space)  # 26 MB
    tracemalloc.start()
    try:
        result = search_by_page(alice, top_k=5, mode="exact")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(result.hits), result.receipt.pages_scored) == (5, 200)
    assert peak < 16 * 1024 * 1024


@pytest.mark.django_db(transaction=True)
def test_search_times_out_if_the_database_blocks(alice: Someone, settings: Settings, services: Services) -> None:
    with_vectors(alice, "x", [QUERY_VECTORS])
    assert len(search_by_page(alice).hits) == 1
    settings.ENV = replace(settings.ENV, search_timeout_s=1)
    table = Collection._meta.db_table
    with psycopg.connect(services.app_url) as other:
        other.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        with pytest.raises(SearchTookTooLong):
            search_by_page(alice)
    assert len(search_by_page(alice).hits) == 1


def test_search_times_out_while_scoring(alice: Someone, settings: Settings) -> None:
    with_vectors(alice, "x", [QUERY_VECTORS])
    settings.ENV = replace(settings.ENV, search_timeout_s=0)
    with pytest.raises(SearchTookTooLong):
        search_by_page(alice, mode="exact")
