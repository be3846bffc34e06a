"""What is in memory never says anything else than the database: after any changes, for many at once, for strangers."""

import math
import threading
from contextlib import closing
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from django.db import connection
from prometheus_client import REGISTRY
from pytest_django import Settings

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine.retrieval.plan import PLAN, Plan
from collections_app.models import Collection, Document, PageEmbedding, Space
from collections_app.search import index, run, scope, vector_search
from collections_app.search.index import Index
from collections_app.search.run import Question
from collections_app.search.scope import Scope
from collections_app.search.vector_search import Query, Scored, Wanted
from tests.cast import Someone
from tests.collections_app.search.test_run import LIKE
from tests.collections_app.searchable import TOY, caller_of, random_vectors, with_vectors

QUERY = Query(TOY, random_vectors(0, count=5))
# Nothing is scored exactly at once, and every later step takes fewer pages than the one before.
EAGER = Plan(exact_at_once=0, glanced_at=60, pooled=30, least_exact=10, most_exact=10, most_for_each_hit=1)
# The same steps, each wide enough for all there is.
WIDE = replace(EAGER, glanced_at=10**6, pooled=10**6, patience=math.inf)


@pytest.fixture(autouse=True)
def nothing_in_memory() -> None:
    index.here.begin_again()


def kept_space() -> index.Space:
    space = Space.objects.get(model=TOY.model)
    return index.Space(space.pk, space.dim)


def best(who: Someone, where: Scope | None = None, **wanted: object) -> Scored:
    with acting_for(who.id):
        return vector_search.best(caller_of(who), QUERY, where or Scope(), Wanted(**{"most": 10, **wanted}))  # type: ignore[arg-type]


def fill(who: Someone, *, documents: int, pages: int, collection: str = "shelf") -> list[int]:
    made: list[int] = []
    for number in range(documents):
        seeds = range(1000 * number, 1000 * number + pages)
        vectors = [random_vectors(seed, count=1 + seed % 7) for seed in seeds]
        made += with_vectors(who, f"d{number}", vectors, collection=collection, metadata={"number": number})
    return made


def test_where_every_step_takes_all_the_answer_is_the_exact_one(alice: Someone) -> None:
    made = fill(alice, documents=3, pages=30)
    exact = best(alice, mode="exact", most=1000)
    assert len(exact.ranked) == len(made)
    assert exact.exact
    wide = best(alice, plan=replace(WIDE, most_exact=len(made) - 1), most=10)
    assert (wide.candidates, wide.exact) == (len(made) - 1, False)
    assert wide.ranked == exact.ranked[:10]


def test_each_step_narrows_and_the_scores_stay_exact(alice: Someone) -> None:
    fill(alice, documents=4, pages=30)
    exact = dict(best(alice, mode="exact", most=1000).ranked)
    found = best(alice, plan=EAGER)
    assert (found.pages, found.compared, found.candidates, found.exact) == (120, 120, 10, False)
    assert all(exact[page_id] == score for page_id, score in found.ranked)
    assert len(set(dict(found.ranked)) & set(list(exact)[:10])) >= 6


def test_no_more_pages_are_scored_than_it_takes_to_be_fairly_sure(alice: Someone) -> None:
    fill(alice, documents=4, pages=30)
    wide = replace(EAGER, most_exact=100, least_exact=4)
    scored = [best(alice, plan=replace(wide, patience=patience), most=3).candidates for patience in (-100, math.inf)]
    assert scored == [5, 100]


def test_by_document_as_many_documents_are_found_as_there_are(alice: Someone) -> None:
    fill(alice, documents=8, pages=15)
    exact = best(alice, mode="exact", by_document=True).ranked
    found = best(alice, plan=replace(EAGER, most_exact=24), by_document=True).ranked
    assert len(found) == len(exact) == 8


def test_a_page_without_a_sketch_is_found_all_the_same(alice: Someone) -> None:
    made = fill(alice, documents=2, pages=30)
    first = best(alice, mode="exact", most=1).ranked
    with acting_for(alice.id):
        PageEmbedding.objects.filter(owner_id=alice.id, pk=first[0][0]).update(sketch=None)
    index.here.begin_again()
    found = best(alice, plan=EAGER, most=1)
    assert (found.ranked, found.candidates, found.compared) == (first, 11, len(made))


def _change(who: Someone, chance: Random, number: int) -> None:
    """One of the things that owners do."""
    with acting_for(who.id):
        documents = list(Document.objects.filter(owner_id=who.id).values_list("collection__name", "name"))
        names = list(Collection.objects.filter(owner_id=who.id).values_list("name", flat=True))
    collection, name = chance.choice(documents) if documents else ("", "")
    does = chance.choice(["upsert", "upsert", "upsert", "delete", "rename", "move", "empty"])
    if does == "upsert" or not documents:
        vectors = [random_vectors(chance.randrange(10**6), count=3) for _ in range(chance.randrange(1, 5))]
        with_vectors(who, f"d{chance.randrange(5)}", vectors, collection=f"c{chance.randrange(3)}")
    elif does == "delete":
        assert who.delete(f"/v1/documents/{name}/?collection_name={collection}").status_code == 204
    elif does == "rename":
        assert (
            who.patch(
                f"/v1/documents/{name}/", {"name": f"renamed-{number}", "collection_name": collection}
            ).status_code
            == 200
        )
    elif does == "move":
        assert who.patch(f"/v1/collections/{collection}/", {"name": f"moved-{number}"}).status_code == 200
    else:
        assert who.delete(f"/v1/collections/{chance.choice(names)}/").status_code == 204


@pytest.mark.parametrize("seed", range(3))
def test_after_any_changes_the_answer_is_that_of_a_fresh_process(
    alice: Someone, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)  # noqa: S311
    for number in range(12):
        _change(alice, chance, number)
        kept, exact = best(alice, plan=EAGER), best(alice, mode="exact", most=1000)
        with monkeypatch.context() as fresh:
            fresh.setattr(index, "here", Index())
            assert best(alice, plan=EAGER) == kept
            assert best(alice, mode="exact", most=1000) == exact
        with acting_for(alice.id):
            shown = scope.pages(caller_of(alice), Scope()).values_list("pk", flat=True)
            assert {page_id for page_id, _ in exact.ranked} == set(shown)
            assert exact.pages == len(shown)


def test_a_small_tenant_finds_all_of_his_among_many(alice: Someone, charlie: Someone) -> None:
    fill(charlie, documents=4, pages=50)
    mine = fill(alice, documents=1, pages=1)
    assert [page_id for page_id, _ in best(alice).ranked] == mine
    assert len(best(charlie, plan=EAGER).ranked) == 10


def test_a_filter_that_leaves_few_is_exact(alice: Someone) -> None:
    made = fill(alice, documents=6, pages=25)
    with acting_for(alice.id):
        last = Document.objects.get(owner_id=alice.id, name="d5")
        _, places = scope.places(caller_of(alice), Scope(), TOY)
        found = index.here.segments(alice.id, places, kept_space())
    (segment,) = found
    part = segment.within(np.array([last.pk]), but=np.empty(0, dtype=np.int64))
    assert sorted(part.page_ids().tolist()) == made[-25:]


def test_a_segment_that_is_behind_shows_nobody_what_is_not_theirs(
    alice: Someone, charlie: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the memory has pages of others under one's own collection, and the database would show them."""
    theirs = fill(charlie, documents=1, pages=3)
    (mine,) = with_vectors(alice, "mine", [random_vectors(5, count=2)], collection="shelf")
    with_vectors(alice, "asked.pdf", [random_vectors(0, count=5)], collection="asked")
    with acting_as_staff():
        space = kept_space()
        _, their_places = scope.places(caller_of(charlie), Scope(), TOY)
        (stale,) = index.here.segments(charlie.id, their_places, space)
        monkeypatch.setattr(
            Index,
            "_current",
            lambda _self, _owner, places, _space: dict.fromkeys((place.collection_id for place in places), stale),
        )
        answer = run.run(caller_of(alice), Question(asked=LIKE, top_k=100))
    assert set(theirs) & {hit.page.pk for hit in answer.hits} == set()
    assert {hit.page.pk for hit in answer.hits} <= {mine}


def test_what_changed_without_a_word_is_found_at_the_second_look(alice: Someone) -> None:
    (gone,) = with_vectors(alice, "x", [random_vectors(0, count=5)])
    (left,) = with_vectors(alice, "y", [random_vectors(1, count=5)])
    with_vectors(alice, "asked.pdf", [random_vectors(0, count=5)], collection="asked")
    question = Question(asked=LIKE, top_k=1)
    assert [hit.page.pk for hit in run.run(caller_of(alice), question).hits] == [gone]
    with acting_for(alice.id):
        Document.objects.filter(owner_id=alice.id, name="x").delete()
    assert [hit.page.pk for hit in run.run(caller_of(alice), question).hits] == [left]


def memory() -> float:
    return REGISTRY.get_sample_value("paliapi_index_bytes") or 0.0


def loads() -> float:
    return REGISTRY.get_sample_value("paliapi_index_pages_loaded_total") or 0.0


def test_only_what_is_new_is_loaded_and_what_takes_too_much_room_goes(alice: Someone, settings: Settings) -> None:
    fill(alice, documents=2, pages=20)
    best(alice)
    before, size = loads(), memory()
    assert size > 0
    with_vectors(alice, "new", [random_vectors(1, count=2)], collection="shelf")
    best(alice)
    assert (loads() - before, memory() > size) == (1, True)
    best(alice)
    assert loads() - before == 1
    settings.ENV = replace(settings.ENV, index_mb=0)
    with_vectors(alice, "other", [random_vectors(1, count=2)], collection="other")
    best(alice)
    assert memory() < size


@pytest.fixture
def a_shelf(transactional_db: None, alice: Someone) -> Someone:
    fill(alice, documents=2, pages=30)
    return alice


def test_many_threads_load_once_and_find_the_same(a_shelf: Someone) -> None:
    before = loads()
    found: list[Scored] = []
    ready = threading.Barrier(6)

    def run() -> None:
        with closing(connection):
            ready.wait()
            found.append(best(a_shelf, plan=EAGER))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(one == found[0] for one in found)
    assert loads() - before == 60


def test_the_plan_scores_few_pages_exactly_and_never_fewer_than_are_wanted() -> None:
    assert PLAN.steps(100, hits=10) is None
    assert PLAN.steps(3000, hits=1000) is None
    for pages, hits in ((101, 3), (10_000, 10), (100_000, 10), (1_000_000, 200)):
        steps = PLAN.steps(pages, hits=hits)
        assert steps is not None
        assert hits < steps.least < steps.most <= steps.pooled < steps.glanced_at


def test_a_page_has_a_chance_if_others_were_as_far_above_what_was_expected() -> None:
    steps = PLAN.steps(1000, hits=10)
    assert steps is not None
    gaps = [0.5, 1.5, 0.5, 1.5]  # 1 in the middle, half of it apart
    highest = 7 + 1 + steps.patience * 0.5
    assert not steps.is_settled(gaps, estimate=7, bar=highest - 0.01)
    assert steps.is_settled(gaps, estimate=7, bar=highest + 0.01)
