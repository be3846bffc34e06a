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
from benchmarks.search.candidates import load_sketches, whole
from benchmarks.search.synthetic import DIM, Floats
from collections_app.engine.retrieval import candidates, sketch_scan
from collections_app.engine.retrieval.plan import PLAN
from collections_app.engine.retrieval.weights import merge

_ROUNDS = 2


def measured(pages: int, *, made_of: int) -> dict[str, float]:
    """Return the figures."""
    large = large_corpus.load(made_of)
    sketched = sketch_scan.concatenate([load_sketches(large, len(large))] * (pages // len(large)))
    rows, parts = np.arange(len(sketched)), [whole(sketched)]
    steps = PLAN.steps(len(rows), hits=10)
    if steps is None:
        raise SystemExit("So few pages are all scored exactly.")

    def look(question: Floats) -> object:
        query = sketch_scan.encode_query(*merge(question, None, limit=steps.merged_limit(len(question))))
        return sketch_scan.score_coarse(query, sketched.coarse, rows, dim=DIM)

    def choose(question: Floats) -> object:
        return candidates.select(parts, question, None, steps)

    return {
        "pages": len(rows),
        **_median_ms("first_look", look, large.questions),
        **_median_ms("candidates", choose, large.questions),
        "first_look_mb": round(sketched.coarse.nbytes / 1e6, 1),
        "sketches_mb": round(sketched.nbytes / 1e6, 1),
        "process_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _median_ms(name: str, act: Callable[[Floats], object], questions: list[Floats]) -> dict[str, float]:
    def once() -> list[float]:
        times = []
        for question in questions:
            began = time.perf_counter()
            act(question)
            times.append(1000 * (time.perf_counter() - began))
        return times

    rounds = steal_time.rounds(once, count=_ROUNDS)
    median = float(np.median([one.value for one in rounds]))
    return {f"{name}_p50_ms": round(median, 2), f"{name}_stolen_percent": steal_time.percent(rounds)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(int(sys.argv[1]), made_of=int(sys.argv[2]))) + "\n")
