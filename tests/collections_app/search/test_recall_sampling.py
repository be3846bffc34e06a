"""Sampled searches that are repeated exactly."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings
from redis import Redis

from accounts.ownership import acting_for
from collections_app import tasks
from collections_app.engine.input import filter_parser
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.models import Collection
from collections_app.search import PageQuery, Receipt, SearchRequest, SearchResult, recall, recall_sampling
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.recall_sampling import Sample
from collections_app.search.scope import Scope
from tests.cast import Someone
from tests.collections_app.searchable import TOY, caller_of, random_vectors, with_vectors, with_words

QUERY = QueryVectors(TOY, random_vectors(0, count=4))


def sample(who: Someone, best_by_score: list[int], *, limit: int = 4, filter_json: Any = None) -> str:
    parsed = None if filter_json is None else filter_parser.parse(filter_json)
    return recall_sampling.pack(
        Sample(
            caller=caller_of(who),
            scope=Scope(filter=parsed),
            filter_json=filter_json,
            query=QUERY,
            limit=limit,
            best_by_score=best_by_score,
        )
    )


def counted(who: Someone, name: str = "default_collection") -> tuple[int, int, int]:
    with acting_for(who.id) as tx:
        measured = recall.measured_recall(tx, Collection.objects.get(owner_id=who.id, name=name))
    return measured.searches, measured.expected, measured.found


@pytest.fixture
def pages(alice: Someone) -> list[int]:
    """Page ids, the best for QUERY first."""
    near = [random_vectors(0, count=count) for count in (4, 3, 2, 1)]
    return with_vectors(alice, "near", [*near, *(-random_vectors(0, count=count) for count in (4, 3))])


def test_pages_found_are_counted_against_the_exact_best(alice: Someone, pages: list[int]) -> None:
    assert recall_sampling.compare_with_exact(sample(alice, pages[:2], limit=2))
    assert counted(alice) == (1, 2, 2)
    assert recall_sampling.compare_with_exact(sample(alice, [pages[0], pages[5]], limit=2))
    assert counted(alice) == (2, 4, 3)


def test_search_of_several_collections_counts_for_each(alice: Someone, pages: list[int]) -> None:
    with_vectors(alice, "other", [random_vectors(0, count=4)], collection="other")
    assert recall_sampling.compare_with_exact(sample(alice, pages[:2], limit=3))
    assert counted(alice) == (1, 2, 2)
    assert counted(alice, "other") == (1, 1, 0)


def test_samples_of_a_compact_collection_are_compared_by_codes(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "small", "vector_storage": "compact"})
    ids = with_vectors(alice, "near", [random_vectors(0, count=count) for count in (4, 3, 2, 1)], collection="small")
    assert recall_sampling.compare_with_exact(sample(alice, [ids[0], ids[3]], limit=2))
    assert counted(alice, "small") == (1, 2, 1)


def test_repeated_search_uses_the_same_filter(alice: Someone, pages: list[int]) -> None:
    with_vectors(alice, "more", [random_vectors(0, count=4)], metadata={"year": 2026})
    without_year = {"not": {"key": "year", "op": "exists"}}
    assert recall_sampling.compare_with_exact(sample(alice, pages[:1], filter_json=without_year, limit=1))
    assert counted(alice) == (1, 1, 1)


def test_nothing_is_counted_if_pages_changed_since(alice: Someone, pages: list[int]) -> None:
    text = sample(alice, pages[:4])
    assert alice.delete("/v1/documents/near/").status_code == 204
    assert not recall_sampling.compare_with_exact(text)
    assert counted(alice) == (0, 0, 0)


def test_sample_holds_no_words_and_keeps_the_limits_of_the_key(alice: Someone) -> None:
    caller = caller_of(alice, collections=frozenset({"own"}))
    message = json.loads(
        recall_sampling.pack(
            Sample(caller=caller, scope=Scope(), filter_json=None, query=QUERY, limit=1, best_by_score=[])
        )
    )
    assert message["reach"] == ["own"]
    assert set(message) == {
        *("owner", "reach", "collections", "but", "filter", "space", "vectors"),
        *("weights", "found", "most", "state"),
    }


def test_only_searches_that_can_be_compared_are_sampled(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, shadow_percent=100)
    query = PageQuery(document_name="x", collection_name="y", page_number=1)
    request = SearchRequest(query=query, top_k=20, offset=5)
    receipt = Receipt(
        stopwatch=Stopwatch(),
        mode="sketch",
        ranking="maxsim",
        degraded=False,
        space=TOY,
        pages_in_scope=1000,
        best_by_score=tuple(range(10)),
    )
    result = SearchResult(receipt, query=QUERY)

    def sampled(request: SearchRequest, result: SearchResult) -> str | None:
        return recall_sampling.sample_of(caller_of(alice), request, result, filter_json=None)

    text = sampled(request, result)
    assert text is not None
    assert (json.loads(text)["most"], json.loads(text)["found"]) == (10, list(range(10)))
    assert sampled(replace(request, group_by="document"), result) is None
    assert sampled(replace(request, min_score=0.5), result) is None
    assert sampled(request, replace(result, query=None)) is None
    assert sampled(request, replace(result, receipt=replace(receipt, mode="exact"))) is None
    long = QueryVectors(TOY, random_vectors(0, count=129))
    assert sampled(request, replace(result, query=long)) is None
    settings.ENV = replace(settings.ENV, shadow_percent=0)
    assert sampled(request, result) is None


def take_samples(queue: "Redis") -> list[str]:
    """Empty the queue, and return the samples in it."""
    messages = [json.loads(message) for message in queue.lrange("celery", 0, -1)]
    queue.delete("celery")
    samples = [message for message in messages if message["headers"]["task"].endswith(".compare_search")]
    bodies = [json.loads(base64.b64decode(message["body"])) for message in samples]
    return [text for (text,), *_ in bodies]


def test_searches_by_sketch_are_sampled_and_exact_ones_are_not(
    alice: Someone, service: str, settings: Settings, queue: "Redis"
) -> None:
    with_words(alice, "x", [f"light number {number}" for number in range(120)])
    settings.ENV = replace(settings.ENV, shadow_percent=100)
    take_samples(queue)
    body = {"query": "light number 7", "images": "none", "ranking": "maxsim", "include": ["receipt"]}
    assert alice.post("/v1/search/", {**body, "mode": "exact"}).status_code == 200
    assert alice.post("/v1/search/", {**body, "group_by": "document"}).status_code == 200
    assert take_samples(queue) == []
    assert alice.post("/v1/search/", body).json()["receipt"]["mode"] == "sketch"
    (text,) = take_samples(queue)
    assert "light" not in text
    settings.ENV = replace(settings.ENV, shadow_percent=0)
    alice.post("/v1/search/", body)
    assert take_samples(queue) == []
    tasks.compare_search(text)
    assert counted(alice)[:2] == (1, 3)


def test_few_searches_are_sampled_when_there_are_many() -> None:
    busy, complete = recall_sampling._Pace(), recall_sampling._Pace()
    assert sum(busy.is_due(percent=99) for _ in range(1000)) == 1
    assert all(complete.is_due(percent=100) for _ in range(10))
