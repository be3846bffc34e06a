"""The verb of searching, over vectors that are known: a page asks, so that no model has a say."""

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql
from pytest_django import Settings

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine.input import filter_parser
from collections_app.models import Collection, Document, Page, PageEmbedding, Revision, Status
from collections_app.search import hit_rows, run
from collections_app.search.errors import PageNotSearchable, SearchTookTooLong
from collections_app.search.hit_rows import ShownPage
from collections_app.search.query import LikePage, Words
from collections_app.search.run import Answer, Question
from embeddings import contract
from tests.cast import Someone
from tests.collections_app.documents import PDF, put, shown_with_pages
from tests.collections_app.searchable import TOY, Halves, caller_of, random_vectors, with_vectors
from tests.environment import Services

ASKED = random_vectors(0, count=5)
LIKE = LikePage(document_name="asked.pdf", collection_name="asked", page_number=1)


def ask(who: Someone, **how: Any) -> Answer:
    """Ask with the page that holds ASKED, which is made if it is not there."""
    with acting_for(who.id):
        there = Document.objects.filter(owner_id=who.id, name="asked.pdf").exists()
    if not there:
        with_vectors(who, "asked.pdf", [ASKED], collection="asked")
    return run.run(caller_of(who), Question(asked=LIKE, **{"top_k": 1000, **how}))


def naive(page: Halves) -> float:
    return float((ASKED.astype(np.float64) @ page.astype(np.float64).T).max(axis=1).sum())


def ids(answer: Answer) -> list[int]:
    return [hit.page.pk for hit in answer.hits]


def random_pages(seed: int, *, count: int) -> list[Halves]:
    return [random_vectors(seed * 1000 + number, count=1 + number % 9) for number in range(count)]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_ranking_is_that_of_brute_force(alice: Someone, seed: int) -> None:
    kept: dict[int, Halves] = {}
    for name in ("a", "b", "c"):
        pages = random_pages(seed + ord(name), count=25)
        kept |= dict(zip(with_vectors(alice, name, pages, collection=f"shelf-{name}"), pages, strict=True))
    answer = ask(alice)
    assert ids(answer) == sorted(kept, key=lambda page_id: -naive(kept[page_id]))
    for hit in answer.hits:
        assert hit.score == pytest.approx(naive(kept[hit.page.pk]), rel=1e-5)
        assert hit.score is not None
        assert hit.normalized_score == pytest.approx(hit.score / 5)
    receipt = answer.receipt
    assert (receipt.mode, receipt.space) == ("exact", TOY)
    assert (receipt.pages_in_scope, receipt.pages_scored, receipt.pages_left_out) == (75, 75, 0)
    assert set(receipt.watch.ms) == {"query", "index", "score", "fetch"}


def test_the_page_that_asks_is_not_among_the_hits(alice: Someone) -> None:
    (twin,) = with_vectors(alice, "twin.pdf", [ASKED])
    answer = ask(alice)
    assert ids(answer) == [twin]
    assert answer.hits[0].normalized_score == pytest.approx(1, abs=1e-3)


def test_of_equals_the_older_page_comes_first(alice: Someone) -> None:
    made = with_vectors(alice, "x", [random_vectors(3, count=4)] * 40)
    assert ids(ask(alice, top_k=7)) == made[:7]


def test_scores_below_zero_stay_below_zero(alice: Someone) -> None:
    (opposite,) = with_vectors(alice, "x", [-ASKED[:1].repeat(3, axis=0)])
    (hit,) = ask(alice).hits
    assert hit.page.pk == opposite
    assert hit.score == pytest.approx(naive(-ASKED[:1]), rel=1e-4)


def test_top_k_and_offset_cut_the_same_ranking(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(4, count=30))
    whole = ids(ask(alice))
    assert ids(ask(alice, top_k=3)) == whole[:3]
    assert ids(ask(alice, top_k=4, offset=10)) == whole[10:14]
    assert ids(ask(alice, top_k=5, offset=28)) == whole[28:]
    assert ids(ask(alice, offset=30)) == []


def test_a_least_score_leaves_out_what_scores_less(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(5, count=30))
    whole = ask(alice).hits
    least = whole[12].normalized_score
    assert least is not None
    assert ids(ask(alice, min_score=least - 1e-6)) == [hit.page.pk for hit in whole[:13]]
    assert ids(ask(alice, min_score=1.0)) == []


def test_by_document_each_has_its_best_page(alice: Someone) -> None:
    for number in range(12):
        with_vectors(alice, f"d{number}", random_pages(6 + number, count=7))
    whole = ask(alice).hits
    firsts: dict[int, int] = {}
    for hit in whole:
        firsts.setdefault(hit.page.document_id, hit.page.pk)
    assert ids(ask(alice, by_document=True)) == list(firsts.values())
    assert ids(ask(alice, by_document=True, top_k=5, offset=2)) == list(firsts.values())[2:7]


def test_collections_and_filters_narrow_the_scope(alice: Someone) -> None:
    (old,) = with_vectors(alice, "old", random_pages(1, count=1), collection="a", metadata={"year": 2020})
    (new,) = with_vectors(alice, "new", random_pages(2, count=1), collection="b", metadata={"year": 2026})
    (other,) = with_vectors(alice, "other", random_pages(3, count=1), collection="c", metadata={"year": 2026})
    since = filter_parser.parse({"key": "year", "op": "gte", "value": 2021})
    either = filter_parser.parse({"or": [{"key": "year", "value": 2020}, {"not": {"key": "year", "op": "exists"}}]})
    assert set(ids(ask(alice, collections=frozenset({"a", "b", "nowhere", "a\0"})))) == {old, new}
    assert set(ids(ask(alice, collections=frozenset({"all"})))) == {old, new, other}
    assert set(ids(ask(alice, filter=since))) == {new, other}
    assert set(ids(ask(alice, filter=either))) == {old}
    assert ids(ask(alice, filter=since, collections=frozenset({"a"}))) == []
    assert ids(ask(alice, collections=frozenset({"nowhere"}))) == []


def test_a_filter_that_leaves_one_page_of_many_finds_it(alice: Someone) -> None:
    for number in range(10):
        with_vectors(alice, f"d{number}", random_pages(number, count=10), metadata={"number": number})
    answer = ask(alice, filter=filter_parser.parse({"key": "number", "value": 7}), top_k=3)
    assert {hit.page.document_name for hit in answer.hits} == {"d7"}
    assert (len(answer.hits), answer.receipt.pages_in_scope) == (3, 10)


def test_a_key_that_reaches_some_collections_finds_nothing_elsewhere(alice: Someone) -> None:
    with_vectors(alice, "asked.pdf", [ASKED], collection="asked")
    (mine,) = with_vectors(alice, "mine", random_pages(1, count=1), collection="mine")
    with_vectors(alice, "hidden", random_pages(2, count=1), collection="hidden")
    limited = caller_of(alice, collections=frozenset({"mine", "asked"}))
    for where in (None, frozenset({"mine", "hidden"})):
        assert ids(run.run(limited, Question(asked=LIKE, collections=where))) == [mine]
    assert ids(run.run(limited, Question(asked=LIKE, collections=frozenset({"hidden"})))) == []


def test_pages_of_others_are_never_found(alice: Someone, charlie: Someone) -> None:
    with_vectors(charlie, "theirs", [ASKED], collection="shared-name")
    (mine,) = with_vectors(alice, "mine", random_pages(1, count=1), collection="shared-name")
    answer = ask(alice, collections=frozenset({"shared-name"}))
    assert ids(answer) == [mine]
    assert answer.receipt.pages_in_scope == 1


def test_pages_of_others_are_not_found_where_the_database_would_show_them(alice: Someone, charlie: Someone) -> None:
    with_vectors(charlie, "theirs", [ASKED])
    (mine,) = with_vectors(alice, "mine", random_pages(1, count=1))
    with acting_as_staff():
        assert ids(ask(alice)) == [mine]


def test_only_what_a_document_shows_is_found(alice: Someone) -> None:
    (shown,) = with_vectors(alice, "x", random_pages(1, count=1))
    with_vectors(alice, "new", [ASKED])
    with acting_for(alice.id):
        Document.objects.filter(owner_id=alice.id, name="new").update(shown=None)
        Revision.objects.filter(owner_id=alice.id, document__name="new").update(status=Status.EMBEDDING)
    assert ids(ask(alice)) == [shown]


def test_what_is_deleted_moved_or_replaced_counts_from_the_next_search_on(alice: Someone) -> None:
    (first,) = with_vectors(alice, "x", random_pages(1, count=1), collection="a")
    (second,) = with_vectors(alice, "y", random_pages(2, count=1), collection="a")
    assert set(ids(ask(alice))) == {first, second}
    assert alice.delete("/v1/documents/x/?collection_name=a").status_code == 204
    assert ids(ask(alice)) == [second]
    (replaced,) = with_vectors(alice, "y", random_pages(3, count=1), collection="a")
    assert ids(ask(alice)) == [replaced]
    assert alice.patch("/v1/collections/a/", {"name": "b"}).status_code == 200
    assert ids(ask(alice, collections=frozenset({"a"}))) == []
    assert ids(ask(alice, collections=frozenset({"b"}))) == [replaced]
    assert alice.delete("/v1/collections/b/").status_code == 204
    assert ids(ask(alice)) == []


def test_a_content_that_is_swapped_while_it_is_scored_is_looked_for_again(
    alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = with_vectors(alice, "x", [ASKED])
    (new,) = with_vectors(alice, "x", [ASKED])
    with acting_for(alice.id):
        revisions = dict(Page.objects.filter(pk__in=[old, new]).values_list("pk", "revision_id"))
    ask(alice)
    swaps = iter([old, new, old])

    read = hit_rows.read

    def swapping(*asked: Any, with_text: bool) -> dict[int, ShownPage]:
        # Between the scores and the last look at what they belong to.
        if shown := next(swaps, None):
            Document.objects.filter(owner_id=alice.id, name="x").update(shown=revisions[shown])
        return read(*asked, with_text=with_text)

    monkeypatch.setattr(hit_rows, "read", swapping)
    assert ids(ask(alice)) == []  # three times in a row: what is left is told
    assert ids(ask(alice)) == [old]
    swaps = iter([new])
    assert ids(ask(alice)) == [new]


def test_pages_without_vectors_are_left_out_and_counted(alice: Someone) -> None:
    first, _, third = with_vectors(alice, "x", [random_vectors(1, count=2), None, random_vectors(2, count=2)])
    with_vectors(alice, "none", [None])
    answer = ask(alice)
    assert set(ids(answer)) == {first, third}
    assert (answer.receipt.pages_in_scope, answer.receipt.pages_left_out) == (4, 2)


def test_vectors_of_another_space_are_left_out_and_counted(alice: Someone) -> None:
    (good,) = with_vectors(alice, "x", random_pages(1, count=1))
    others = [contract.VectorSpace(TOY.model, "2", TOY.dim), contract.VectorSpace("another", "1", TOY.dim)]
    for number, space in enumerate(others):
        with_vectors(alice, f"other-{number}", [ASKED], space=space)
    answer = ask(alice)
    assert ids(answer) == [good]
    assert (answer.receipt.pages_scored, answer.receipt.pages_left_out) == (1, 2)


def test_vectors_that_are_not_what_their_space_says_break_nothing(
    alice: Someone, caplog: pytest.LogCaptureFixture
) -> None:
    good, wide, empty = with_vectors(
        alice, "x", [random_vectors(1, count=2), random_vectors(2, count=2, dim=9), random_vectors(3, count=1)]
    )
    with acting_for(alice.id), connection.cursor() as cursor:
        cursor.execute("UPDATE collections_app_pageembedding SET vectors = '{}' WHERE page_id = %s", [empty])
    answer = ask(alice)
    assert ids(answer) == [good]
    assert answer.receipt.pages_left_out == 2
    assert wide != good


def test_a_page_without_vectors_cannot_ask(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(1, count=1))
    with_vectors(alice, "asked.pdf", [None], collection="asked")
    with pytest.raises(PageNotSearchable):
        ask(alice)


def test_where_nothing_is_searchable_nobody_is_asked_for_the_questions_vectors(alice: Someone) -> None:
    put(alice, "queued", PDF)
    with_vectors(alice, "none", [None])
    answer = run.run(caller_of(alice), Question(asked=Words("anything?", at="/query")))
    assert answer.hits == []
    assert (answer.receipt.space, answer.receipt.pages_in_scope, answer.receipt.pages_left_out) == (None, 1, 1)


def test_text_is_read_only_when_it_is_told(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(1, count=1), texts=["a lighthouse"])
    assert ask(alice).hits[0].page.text is None
    assert ask(alice, with_text=True).hits[0].page.text == "a lighthouse"


def test_hits_bring_all_that_is_told_of_them_at_once(alice: Someone) -> None:
    for number in range(3):
        with_vectors(alice, f"d{number}", random_pages(number, count=2), collection=f"c{number}")
    hits = ask(alice).hits
    with CaptureQueriesContext(connection) as queries:
        told = [(hit.page.collection_name, hit.page.image.size) for hit in hits]
    assert (len(told), len(queries)) == (6, 0)


def test_memory_does_not_grow_with_the_scope(alice: Someone) -> None:
    space = contract.VectorSpace("wide", "1", 128)
    page = random_vectors(1, count=512, dim=128)
    with_vectors(alice, "asked.pdf", [page], collection="asked", space=space)
    with_vectors(alice, "x", [page] * 200, space=space)  # 26 MB
    tracemalloc.start()
    try:
        answer = ask(alice, top_k=5, mode="exact")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(answer.hits), answer.receipt.pages_scored) == (5, 200)
    assert peak < 16 * 1024 * 1024


def test_old_contents_that_are_still_there_are_not_found(alice: Someone) -> None:
    (old,) = with_vectors(alice, "x", [ASKED])
    document = shown_with_pages(alice, "x", pages=1)
    with acting_for(alice.id):
        assert PageEmbedding.objects.filter(owner_id=alice.id, page_id=old).exists()
        assert Document.objects.get(owner_id=alice.id, pk=document.pk).shown_id is not None
    answer = ask(alice)
    assert ids(answer) == []
    assert answer.receipt.pages_left_out == 1


@pytest.mark.django_db(transaction=True)
def test_a_search_that_the_database_keeps_waiting_is_given_up_in_time(
    alice: Someone, settings: Settings, services: Services
) -> None:
    with_vectors(alice, "x", [ASKED])
    assert len(ask(alice).hits) == 1
    settings.ENV = replace(settings.ENV, search_timeout_s=1)
    where = Collection._meta.db_table
    with psycopg.connect(services.app_url) as other:
        other.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(where)))
        with pytest.raises(SearchTookTooLong):
            ask(alice)
    assert len(ask(alice).hits) == 1


def test_a_ranking_that_takes_too_long_is_given_up(alice: Someone, settings: Settings) -> None:
    with_vectors(alice, "x", [ASKED])
    settings.ENV = replace(settings.ENV, search_timeout_s=0)
    with pytest.raises(SearchTookTooLong):
        ask(alice, mode="exact")
