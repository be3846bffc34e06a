"""Compare candidates by merged query vectors with those by all: `python -m benchmarks.search.candidates [PAGES]`

Both ways take turns in one process, with sketches in memory and merging included. *recall* is the share of the exact
ten best pages among the candidates; beyond the pages that exist, sketches are repeated and only times count. Writes
benchmarks/results/candidates.json.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import steal_time
from benchmarks.search import large_corpus
from benchmarks.search.large_corpus import Large
from benchmarks.search.synthetic import DIM, Floats
from collections_app.engine.retrieval import candidates, sketch_scan
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.plan import PLAN, Plan
from collections_app.engine.retrieval.segment import EMPTY, Block, RevisionTable, Segment, SegmentPart, Unsketched

RESULTS = Path(__file__).parents[1] / "results" / "candidates.json"
PAGES = 20_000
REPEATED = (100_000, 1_000_000)
# Far fewer candidates than usual, as a share of the pages that is usual among a million.
FEW = replace(PLAN, coarse_candidates=60, coarse_share_of_few=0.02, pooled_candidates=48, pooled_share=0.01)
_ROUNDS = 4


def compared(
    sketched: sketch_scan.LoadedSketches, questions: Sequence[Floats], best: Sequence[Sequence[int]], *, plan: Plan
) -> dict[str, Any]:
    """Return times, and recall where the best rows are known, of both ways."""
    parts = [whole(sketched)]
    steps = plan.steps(len(sketched), hits=10)
    unmerged = replace(plan, merged_vectors=10**6).steps(len(sketched), hits=10)
    if steps is None or unmerged is None:
        raise SystemExit("So few pages are all scored exactly.")
    ways = {"all": unmerged, "merged": steps}

    def once() -> list[dict[str, tuple[float, Numbers]]]:
        answers = []
        for question in questions:
            of_question = {}
            for name, sizes in ways.items():
                began = time.perf_counter()
                ids = candidates.select(parts, question, None, sizes)
                of_question[name] = (1000 * (time.perf_counter() - began), ids)
            answers.append(of_question)
        return answers

    once()
    rounds = steal_time.rounds(once, count=_ROUNDS)
    least = {
        name: np.min([[answer[name][0] for answer in one.value] for one in rounds], axis=0).mean() for name in ways
    }
    figures = {
        "pages": len(sketched),
        "questions": len(questions),
        "candidates": steps.pooled_candidates,
        **{f"{name}_ms": round(float(ms), 3) for name, ms in least.items()},
        "ratio": round(float(least["merged"] / least["all"]), 3),
        "stolen_percent": steal_time.percent(rounds),
    }
    if best:
        hits = {
            name: np.array([np.isin(rows, one[name][1]).sum() for rows, one in zip(best, rounds[0].value, strict=True)])
            for name in ways
        }
        figures |= {f"{name}_recall": round(float(hits[name].mean() / len(best[0])), 4) for name in ways}
        figures["better"] = int((hits["merged"] > hits["all"]).sum())
        figures["worse"] = int((hits["merged"] < hits["all"]).sum())
    return figures


def whole(sketched: sketch_scan.LoadedSketches) -> SegmentPart:
    """Return all sketches as one collection of one document; ids are row numbers."""
    rows, one = np.arange(len(sketched)), np.ones(1, dtype=np.int64)
    block = Block(rows, np.ones(len(rows), dtype=np.int64), sketched, rows)
    nothing = Unsketched(rows[:0], rows[:0])
    revisions = RevisionTable(one, one, len(rows) * one, one)
    return Segment(EMPTY.seq, revisions, (block,), nothing).part(None, excluded_page_ids=rows[:0])


def load_sketches(large: Large, pages: int) -> sketch_scan.LoadedSketches:
    """Return the sketches of the first pages."""
    lengths = np.full(pages, large.sketches.shape[1], dtype=np.int64)
    return sketch_scan.load(np.ascontiguousarray(large.sketches[:pages]).tobytes(), lengths, dim=DIM)[0]


def main(pages: int) -> int:
    """Measure, print and write."""
    large = large_corpus.load(pages)
    rows: dict[str, dict[str, Any]] = {}
    for size in dict.fromkeys((min(10_000, pages), pages)):
        best = [large.best(question, among=size) for question in range(len(large.questions))]
        sketched = load_sketches(large, size)
        rows[f"synthetic, {size:,} pages"] = compared(sketched, large.questions, best, plan=PLAN)
        rows[f"synthetic, {size:,} pages, few candidates"] = compared(sketched, large.questions, best, plan=FEW)
    for size in REPEATED:
        sketched = sketch_scan.concatenate([load_sketches(large, pages)] * (size // pages))
        rows[f"synthetic, {size:,} pages, repeated"] = compared(sketched, large.questions, [], plan=PLAN)
    write(rows)
    sys.stdout.write(table(rows))
    return 0


def write(rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Store the figures of these sets of pages, next to those of others."""
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    RESULTS.write_text(json.dumps({**stored, **rows}, indent=2) + "\n", encoding="utf-8")


def table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the figures as Markdown."""
    recall = ("all_recall", "merged_recall", "better", "worse")
    names = ("questions", "candidates", *recall, "all_ms", "merged_ms", "ratio", "stolen_percent")
    head = "| pages | " + " | ".join(name.replace("_", " ") for name in names) + " |"
    lines = [
        f"| {name} | " + " | ".join(str(row.get(figure, "")) for figure in names) + " |" for name, row in rows.items()
    ]
    return "\n".join([head, "|---" * (1 + len(names)) + "|", *lines]) + "\n"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else PAGES))
