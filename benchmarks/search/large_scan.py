"""Scan a million sketches: `python -m benchmarks.search.large_scan PAGES`

Repeats the sketches of the large corpus in memory. Prints the time of the first pass over all of them, the time until
the candidates are selected, and the memory, as JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.harness import steal_time
from benchmarks.search import large_corpus
from benchmarks.search.synthetic import DIM
from collections_app.engine.retrieval import segment, sketch_scan
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.plan import PLAN
from collections_app.engine.retrieval.segment import EMPTY, Block, RevisionTable, Segment, SegmentPart, Unsketched

_ROUNDS = 2


def measured(pages: int, *, made_of: int) -> dict[str, float]:
    """Return the figures."""
    large = large_corpus.load(made_of)
    lengths = np.full(len(large), large.sketches.shape[1], dtype=np.int64)
    once, _ = sketch_scan.load(np.ascontiguousarray(large.sketches).tobytes(), lengths, dim=DIM)
    sketched = sketch_scan.concatenate([once] * (pages // len(large)))
    rows = np.arange(len(sketched))
    asked = [sketch_scan.encode_query(question) for question in large.questions]
    parts = [_part(sketched, rows)]
    steps = PLAN.steps(len(rows), hits=10)
    if steps is None:
        raise SystemExit("So few pages are all scored exactly.")

    def look(query: sketch_scan.EncodedQuery) -> object:
        return sketch_scan.score_coarse(query, sketched.coarse, rows, dim=DIM)

    def choose(query: sketch_scan.EncodedQuery) -> object:
        return segment.best_candidates(
            parts, query, limit=steps.pooled_candidates, coarse_candidates=steps.coarse_candidates
        )

    return {
        "pages": len(rows),
        **_median_ms("first_look", look, asked),
        **_median_ms("candidates", choose, asked),
        "first_look_mb": round(sketched.coarse.nbytes / 1e6, 1),
        "sketches_mb": round(sketched.nbytes / 1e6, 1),
        "process_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _part(sketched: sketch_scan.LoadedSketches, rows: Numbers) -> SegmentPart:
    """Return all of them as one collection of one document."""
    one = np.ones(1, dtype=np.int64)
    block = Block(rows, np.ones(len(rows), dtype=np.int64), sketched, rows)
    revisions = RevisionTable(one, one, len(rows) * one)
    nothing = Unsketched(rows[:0], rows[:0])
    return Segment(EMPTY.seq, revisions, (block,), nothing).part(None, excluded_page_ids=rows[:0])


def _median_ms(
    name: str, act: Callable[[sketch_scan.EncodedQuery], object], asked: list[sketch_scan.EncodedQuery]
) -> dict[str, float]:
    def once() -> list[float]:
        times = []
        for query in asked:
            began = time.perf_counter()
            act(query)
            times.append(1000 * (time.perf_counter() - began))
        return times

    rounds = steal_time.rounds(once, count=_ROUNDS)
    median = float(np.median([one.value for one in rounds]))
    return {f"{name}_p50_ms": round(median, 2), f"{name}_stolen_percent": steal_time.percent(rounds)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(int(sys.argv[1]), made_of=int(sys.argv[2]))) + "\n")
