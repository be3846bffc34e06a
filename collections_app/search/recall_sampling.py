"""Now and then a search is made again, exactly, by a worker that has nothing else to do: does it find the same?

What travels in the queue, and lies there for five minutes at most, is the vectors of the question, never its words.
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
from accounts.ownership import acting_for
from collections_app.engine.input import filter_parser
from collections_app.models import Page
from collections_app.search import recall, scope, vector_search
from collections_app.search.scope import Scope
from collections_app.search.vector_search import Query, Wanted
from embeddings import contract

_MOST_VECTORS = 128
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A search as it was made: by whom, where, with what, and the first pages that it found by score."""

    caller: Caller
    where: Scope
    filter_json: Any  # as it was sent
    query: Query
    most: int  # so many were looked for
    found: Sequence[int]


def is_drawn(query: Query) -> bool:
    """Whether this search is one of those that are made again; not by a page, which would be too long for the queue."""
    short = len(query.vectors) <= _MOST_VECTORS
    return short and random.random() * 100 < settings.ENV.shadow_percent  # noqa: S311 - nobody gains by guessing it


def packed(sample: Sample) -> str:
    """The sample as text for the queue."""
    caller, query = sample.caller, sample.query
    with acting_for(caller.owner_id):
        state = _state(caller, sample.where, query)
    told = {
        "owner": caller.owner_id,
        "reach": _listed(caller.collections),
        "collections": _listed(sample.where.collections),
        "but": sorted(sample.where.but),
        "filter": sample.filter_json,
        "space": [query.space.model, query.space.revision, query.space.dim],
        "vectors": base64.b64encode(np.ascontiguousarray(query.vectors, dtype="<f2").tobytes()).decode(),
        "weights": None if query.weights is None else query.weights.tolist(),
        "found": list(sample.found),
        "most": sample.most,
        "state": state,
    }
    return json.dumps(told)


def compare(text: str) -> bool:
    """Make the search again and count what was found; False where that would say nothing."""
    told = json.loads(text)
    caller = Caller(
        owner_id=told["owner"], email="", key_id=0, scopes=frozenset({"search"}), collections=_set(told["reach"])
    )
    where = Scope(
        collections=_set(told["collections"]),
        filter=None if told["filter"] is None else filter_parser.parse(told["filter"]),
        but=frozenset(told["but"]),
    )
    wanted = Wanted(most=told["most"], mode="exact", until=time.monotonic() + _LONGEST_S)
    with acting_for(caller.owner_id):
        query = _query(told)
        best = [page_id for page_id, _ in vector_search.best(caller, query, where, wanted).ranked]
        # Pages that came or went since would count as missed, or as found, by mistake.
        if _state(caller, where, query) != told["state"]:
            return False
        places = Page.objects.filter(owner_id=caller.owner_id, pk__in=best)
        collections = dict(places.values_list("pk", "revision__document__collection_id"))
        expected = Counter(collections.values())
        found = Counter(collections[page_id] for page_id in set(told["found"][: recall.K]) & collections.keys())
        recall.record(caller.owner_id, {each: (count, found[each]) for each, count in expected.items()})
    return True


def _query(told: dict[str, Any]) -> Query:
    model, revision, dim = told["space"]
    vectors = np.frombuffer(base64.b64decode(told["vectors"]), dtype="<f2").reshape(-1, dim).astype(np.float16)
    weights = None if told["weights"] is None else np.array(told["weights"], dtype=np.float32)
    return Query(contract.VectorSpace(model, revision, dim), vectors, weights)


def _state(caller: Caller, where: Scope, query: Query) -> list[list[int]]:
    """What the searched collections hold, as a number that moves with every change."""
    _, places = scope.places(caller, where, query.space)
    return [[place.collection_id, place.vectors_seq] for place in places]


def _listed(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _set(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
