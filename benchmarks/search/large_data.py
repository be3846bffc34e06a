"""Search the large corpus in PaliAPI's tables: `python -m benchmarks.harness.in_django benchmarks.search.large_data`

Puts the pages into collections so that leading subsets can be searched separately, searches them, and prints the
results as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from accounts.access import Caller
from benchmarks.harness import steal_time
from benchmarks.harness.memory import resident
from benchmarks.search import fill, large_corpus
from benchmarks.search.corpus import BEST
from benchmarks.search.large_corpus import Large
from benchmarks.search.query_service import text_of
from benchmarks.search.synthetic import DIM
from collections_app.search import SearchRequest, SearchResult, TextQuery, search

_ROUNDS = 2
_AT_ONCE = 1000


def measured(pages: int, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Return total and per-stage milliseconds, recall and memory for each size."""
    large = large_corpus.load(pages)
    caller = fill.owner("large@benchmarks.example")
    # A page that was not sampled has one vector; it is scored like the others and ranks last.
    stub = np.full((1, DIM), DIM**-0.5, dtype=np.float16)
    for start, end in pairwise([0, *sizes]):
        for first in range(start, end, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, end))
            wholes = [large.whole(number) for number in numbers]
            vectors = [stub if whole is None else whole for whole in wholes]
            fill.put(fill.Shelf(caller, _name(end)), vectors, first=first, forms=[*map(large.compact_forms, numbers)])
    return [_asked(caller, large, sizes[: place + 1]) for place in range(len(sizes))]


def _asked(caller: Caller, large: Large, sizes: Sequence[int]) -> dict[str, Any]:
    scope = frozenset(_name(size) for size in sizes)
    pages = sizes[-1]

    def once() -> list[tuple[float, SearchResult]]:
        answers = []
        for question in range(len(large.questions)):
            request = SearchRequest(query=TextQuery(text_of(question), at=""), collections=scope, top_k=BEST)
            began = time.perf_counter()
            result = search(caller, request)
            answers.append((1000 * (time.perf_counter() - began), result))
        return answers

    once()
    rounds = steal_time.rounds(once, count=_ROUNDS)
    times = [took for one in rounds for took, _ in one.value]
    stages = [answer.receipt.stopwatch.ms for one in rounds for _, answer in one.value]
    recall, top1 = [], []
    for question, (_, answer) in enumerate(rounds[0].value):
        numbers = [fill.number_of(hit) for hit in answer.hits]
        best = large.best(question, among=pages)
        recall.append(len(set(best) & set(numbers)) / BEST)
        top1.append(numbers[:1] == best[:1])
    return {
        "pages": pages,
        "p50_ms": round(float(np.median(times)), 2),
        "p95_ms": round(float(np.percentile(times, 95)), 2),
        "recall10": round(float(np.mean(recall)), 4),
        "top1": round(float(np.mean(top1)), 4),
        "stolen_percent": steal_time.percent(rounds),
        "stages_ms": {name: round(float(np.median([one[name] for one in stages])), 2) for name in stages[0]},
        "process_mb": round(resident(os.getpid()) / 1e6, 1),
    }


def _name(end: int) -> str:
    """Name the collection of the pages before `end` that no smaller collection holds."""
    return f"to-{end}"


if __name__ == "__main__":
    first, *others = map(int, sys.argv[1:])
    sys.stdout.write(json.dumps(measured(first, others)) + "\n")
