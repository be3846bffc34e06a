"""Searches that are made again exactly."""

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
from collections_app.models import Collection
from collections_app.search import recall as recall_log
from collections_app.search import recall_sampling
from collections_app.search.recall_sampling import Sample
from collections_app.search.scope import Scope
from collections_app.search.vector_search import Query
from tests.cast import Someone
from tests.collections_app.searchable import TOY, caller_of, random_vectors, with_vectors, with_words

QUERY = Query(TOY, random_vectors(0, count=4))


def sample(who: Someone, found: list[int], **how: Any) -> str:
    where = Scope(filter=filter_parser.parse(how["filter_json"]) if "filter_json" in how else None)
    return recall_sampling.packed(
        Sample(
            caller=caller_of(who),
            where=where,
            filter_json=how.get("filter_json"),
            query=QUERY,
            most=how.get("most", 4),
            found=found,
        )
    )


def recall(who: Someone, name: str = "default_collection") -> tuple[int, int, int]:
    with acting_for(who.id):
        told = recall_log.of(Collection.objects.get(owner_id=who.id, name=name))
    return told.searches, told.expected, told.found


@pytest.fixture
def pages(alice: Someone) -> list[int]:
    """Their ids, the best for QUERY first."""
    near = [random_vectors(0, count=count) for count in (4, 3, 2, 1)]
    return with_vectors(alice, "near", [*near, *(-random_vectors(0, count=count) for count in (4, 3))])


def test_what_was_found_is_counted_against_what_there_is(alice: Someone, pages: list[int]) -> None:
    assert recall_sampling.compare(sample(alice, pages[:2], most=2))
    assert recall(alice) == (1, 2, 2)
    assert recall_sampling.compare(sample(alice, [pages[0], pages[5]], most=2))
    assert recall(alice) == (2, 4, 3)


def test_a_search_through_several_collections_counts_for_each(alice: Someone, pages: list[int]) -> None:
    with_vectors(alice, "other", [random_vectors(0, count=4)], collection="other")
    assert recall_sampling.compare(sample(alice, pages[:2], most=3))
    assert recall(alice) == (1, 2, 2)
    assert recall(alice, "other") == (1, 1, 0)


def test_a_filter_holds_for_the_second_search_too(alice: Someone, pages: list[int]) -> None:
    with_vectors(alice, "more", [random_vectors(0, count=4)], metadata={"year": 2026})
    assert recall_sampling.compare(
        sample(alice, pages[:1], filter_json={"not": {"key": "year", "op": "exists"}}, most=1)
    )
    assert recall(alice) == (1, 1, 1)


def test_where_pages_came_or_went_since_nothing_is_counted(alice: Someone, pages: list[int]) -> None:
    kept = sample(alice, pages[:4])
    assert alice.delete("/v1/documents/near/").status_code == 204
    assert not recall_sampling.compare(kept)
    assert recall(alice) == (0, 0, 0)


def test_a_sample_holds_vectors_and_no_words_and_reaches_no_further_than_its_key(alice: Someone) -> None:
    caller = caller_of(alice, collections=frozenset({"mine"}))
    told = json.loads(
        recall_sampling.packed(Sample(caller=caller, where=Scope(), filter_json=None, query=QUERY, most=1, found=[]))
    )
    assert told["reach"] == ["mine"]
    assert set(told) == {
        *("owner", "reach", "collections", "but", "filter", "space", "vectors"),
        *("weights", "found", "most", "state"),
    }


def sampled(queue: "Redis") -> list[str]:
    """The samples that wait in the queue, which is empty then."""
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
    sampled(queue)
    body = {"query": "light number 7", "images": "none", "ranking": "maxsim", "include": ["receipt"]}
    assert alice.post("/v1/search/", {**body, "mode": "exact"}).status_code == 200
    assert alice.post("/v1/search/", {**body, "group_by": "document"}).status_code == 200
    assert sampled(queue) == []
    assert alice.post("/v1/search/", body).json()["receipt"]["mode"] == "sketch"
    (kept,) = sampled(queue)
    assert "light" not in kept
    settings.ENV = replace(settings.ENV, shadow_percent=0)
    alice.post("/v1/search/", body)
    assert sampled(queue) == []
    tasks.compare_search(kept)
    assert recall(alice)[:2] == (1, 3)
