"""A process that searches, as a web server does: `... in_django benchmarks.search.many.searcher`

It answers the lines `first SIZE` (the time of one search), `rounds SIZE COUNT` (times and results of every query, after
every query was searched once), `stored` (what the tables hold) and `memory` with JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from psycopg import sql

from accounts.access import Caller
from accounts.models import CustomUser
from accounts.ownership import acting_for
from benchmarks.harness import steal_time
from benchmarks.harness.memory import resident
from benchmarks.search import fill, synthetic
from benchmarks.search.corpus import BEST
from benchmarks.search.many import scope
from benchmarks.search.query_service import text_of
from collections_app.models import Page, PageEmbedding
from collections_app.search import Receipt, SearchRequest, SearchResult, TextQuery, search
from paliapi.database import binary_cursor


class Searcher:
    def __init__(self) -> None:
        owner_id = CustomUser.objects.values_list("pk", flat=True).get(email=scope.EMAIL)
        self._caller = Caller.of_owner(owner_id, email=scope.EMAIL)

    def first(self, size: int) -> dict[str, Any]:
        """Search once."""
        took, _ = self._search(0, size)
        return {"ms": took}

    def rounds(self, size: int, count: int) -> dict[str, Any]:
        """Search every query in each round, and once before."""
        self._round(size)
        rounds = steal_time.rounds(lambda: self._round(size), count=count)
        stages = [result.receipt.stopwatch.ms for one in rounds for _, result in one.value]
        return {
            "ms": [took for one in rounds for took, _ in one.value],
            "stages_ms": {name: round(float(np.median([one[name] for one in stages])), 2) for name in stages[0]},
            "stolen_percent": steal_time.percent(rounds),
            "hits": [[fill.number_of(hit) for hit in result.hits] for _, result in rounds[0].value],
            "scored": sum(result.receipt.pages_scored for _, result in rounds[0].value),
            "stubs": sum(_stubs(result.receipt) for _, result in rounds[0].value),
        }

    def stored(self) -> dict[str, Any]:
        """Return the sizes of the tables, and how many pages have all their vectors."""
        table = sql.Identifier(PageEmbedding._meta.db_table)
        count = sql.SQL("SELECT count(*) FROM {} WHERE owner_id = %s AND pg_column_size(vectors) > %s").format(table)
        with acting_for(self._caller.owner_id), binary_cursor() as cursor:
            rows = cursor.execute(count, [self._caller.owner_id, synthetic.VECTORS * synthetic.DIM]).fetchall()
            sizes = {
                name: cursor.execute("SELECT pg_total_relation_size(%s)", [model._meta.db_table]).fetchall()[0][0]
                for name, model in (("pages_gb", Page), ("vectors_gb", PageEmbedding))
            }
        return {"with_all_vectors": rows[0][0], **{name: round(size / 1e9, 2) for name, size in sizes.items()}}

    def memory(self) -> dict[str, Any]:
        return {"mb": round(resident(os.getpid()) / 1e6, 1)}

    def _round(self, size: int) -> list[tuple[float, SearchResult]]:
        return [self._search(question, size) for question in range(synthetic.QUESTIONS)]

    def _search(self, question: int, size: int) -> tuple[float, SearchResult]:
        query = TextQuery(text_of(question), at="")
        request = SearchRequest(query=query, collections=scope.collections(size), top_k=BEST)
        began = time.perf_counter()
        result = search(self._caller, request)
        return 1000 * (time.perf_counter() - began), result


def _stubs(receipt: Receipt) -> int:
    """Return how many of the pages that got their exact score have one vector instead of all."""
    mean, all_vectors = receipt.vectors_per_page or 0, synthetic.VECTORS
    return round(receipt.pages_scored * (all_vectors - mean) / (all_vectors - 1))


def main() -> None:
    searcher = Searcher()
    answers: dict[str, Callable[..., dict[str, Any]]] = {
        "first": searcher.first,
        "rounds": searcher.rounds,
        "stored": searcher.stored,
        "memory": searcher.memory,
    }
    for line in sys.stdin:
        name, *numbers = line.split()
        answer = answers[name](*map(int, numbers))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
