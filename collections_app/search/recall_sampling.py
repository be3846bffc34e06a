"""Sampled searches, repeated exactly by an idle worker to measure recall.

A sample waits in the queue for five minutes at most. It holds the vectors of the query, never its words.
"""

import base64
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from collections_app.engine.input import filter_parser
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.models import Page
from collections_app.search import recall, scope, vector_search
from collections_app.search.context import SearchContext
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.request import SearchRequest
from collections_app.search.run import SearchResult
from collections_app.search.scope import Scope
from embeddings import contract

# A longer query, such as a whole page, would be too large for the queue.
_MAX_VECTORS = 128
_TIMEOUT_S = 60.0
_ALL = 100  # percent: then there is no pause
_PAUSE_S = 5.0


class _Pace:
    """Draws the searches to repeat, with a pause after each: an exact search takes many times as long."""

    def __init__(self) -> None:
        self._not_before = 0.0

    def is_due(self, *, percent: int) -> bool:
        if random.random() * 100 >= percent or time.monotonic() < self._not_before:  # noqa: S311 - need not be secure
            return False
        if percent < _ALL:
            self._not_before = time.monotonic() + _PAUSE_S
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A search to repeat: its caller, scope and query, and the best pages by score that it returned."""

    caller: Caller
    scope: Scope
    filter_json: Any  # as the client sent it
    query: QueryVectors
    limit: int
    best_by_score: Sequence[int]


def sample_of(caller: Caller, request: SearchRequest, result: SearchResult, *, filter_json: Any) -> str | None:
    """Return this search as a message for the queue if it is one of those to repeat.

    Only a search by sketch can be compared with an exact one. Groups and a minimal score would need another ranking.
    """
    query = result.query
    if query is None or result.receipt.mode != "sketch" or request.group_by or request.min_score is not None:
        return None
    if len(query.vectors) > _MAX_VECTORS or not _pace.is_due(percent=settings.ENV.shadow_percent):
        return None
    limit = min(recall.RECALL_K, request.limit)
    best_by_score = result.receipt.best_by_score[:limit]
    return pack(
        Sample(
            caller=caller,
            scope=result.scope,
            filter_json=filter_json,
            query=query,
            limit=limit,
            best_by_score=best_by_score,
        )
    )


def pack(sample: Sample) -> str:
    """Return the sample as text for the queue. Call outside a transaction."""
    caller, query = sample.caller, sample.query
    with acting_for(caller.owner_id) as tx:
        state = _state(tx, caller, sample.scope, query)
    message = {
        "owner": caller.owner_id,
        "reach": _to_list(caller.collections),
        "collections": _to_list(sample.scope.collections),
        "but": sorted(sample.scope.excluded_page_ids),
        "filter": sample.filter_json,
        "space": [query.space.model, query.space.revision, query.space.dim],
        "vectors": base64.b64encode(np.ascontiguousarray(query.vectors, dtype="<f2").tobytes()).decode(),
        "weights": None if query.weights is None else query.weights.tolist(),
        "found": list(sample.best_by_score),
        "most": sample.limit,
        "state": state,
    }
    return json.dumps(message)


def compare_with_exact(text: str) -> bool:
    """Repeat the sampled search exactly and count what it had missed; return False if pages changed since."""
    message = json.loads(text)
    caller = Caller(
        owner_id=message["owner"],
        email="",
        key_id=0,
        scopes=frozenset({"search"}),
        collections=_to_set(message["reach"]),
    )
    sampled_scope = Scope(
        collections=_to_set(message["collections"]),
        filter=None if message["filter"] is None else filter_parser.parse(message["filter"]),
        excluded_page_ids=frozenset(message["but"]),
    )
    query = _unpack_query(message)
    with acting_for(caller.owner_id) as tx:
        context = SearchContext(
            tx=tx,
            caller=caller,
            scope=sampled_scope,
            stopwatch=Stopwatch(),
            deadline=time.monotonic() + _TIMEOUT_S,
        )
        scored = vector_search.in_one_form(
            context, lambda attempt: vector_search.best(attempt, query, limit=message["most"], mode="exact")
        )
        # Pages that were added or deleted since would be counted as missed, or as found, by mistake.
        if _state(tx, caller, sampled_scope, query) != message["state"]:
            return False
        exact = [page_id for page_id, _ in scored.ranked]
        _count(tx, exact=exact, sampled=message["found"][: recall.RECALL_K])
    return True


def _count(tx: OwnerTransaction, *, exact: list[int], sampled: list[int]) -> None:
    """Count, by collection, the exact best pages and those of them that the sampled search returned."""
    pages = Page.objects.filter(owner_id=tx.owner_id, pk__in=exact)
    collections = dict(pages.values_list("pk", "revision__document__collection_id"))
    expected = Counter(collections.values())
    hits = Counter(collections[page_id] for page_id in set(sampled) & collections.keys())
    recall.count_comparison(tx, {key: (count, hits[key]) for key, count in expected.items()})


def _unpack_query(message: dict[str, Any]) -> QueryVectors:
    model, revision, dim = message["space"]
    vectors = np.frombuffer(base64.b64decode(message["vectors"]), dtype="<f2").reshape(-1, dim).astype(np.float16)
    weights = None if message["weights"] is None else np.array(message["weights"], dtype=np.float32)
    return QueryVectors(contract.VectorSpace(model, revision, dim), vectors, weights)


def _state(tx: OwnerTransaction, caller: Caller, sampled_scope: Scope, query: QueryVectors) -> list[list[int]]:
    """Return the collections in scope with the counters of their changes."""
    _, versions = scope.collection_versions(tx, caller, sampled_scope, query.space)
    return [[version.collection_id, version.vectors_seq] for version in versions]


def _to_list(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _to_set(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


_pace = _Pace()
