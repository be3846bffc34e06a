"""Compare compact storage with full: `python -m benchmarks.search.compact`

What a page takes in Postgres, the time to read and to score it, in turns, and the order of synthetic pages: nDCG@10,
where the relevance of a page is the share of the query's concepts that it has. Writes benchmarks/results/compact.json;
`python -m benchmarks.quality.compact` adds real text.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import steal_time
from benchmarks.harness.household import household
from benchmarks.search.synthetic import DIM, Floats, Halves, World, documents
from collections_app.engine.retrieval import maxsim
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.codes import codec

RESULTS = Path(__file__).parents[1] / "results" / "compact.json"
PAGES = 1000
_BEST = 10
_TIMED_PAGES = 400
_ROUNDS = 7
_RESAMPLES = 5000


def order(queries: Sequence[Floats | Halves], pages: Sequence[Halves], gains: Floats) -> dict[str, Any]:
    """Return nDCG of both forms, and how much they agree; `gains` has the relevance (queries, pages)."""
    coded = [codec.encode(page) for page in pages]
    scores = {
        "full": np.stack([maxsim.scores(query, pages) for query in queries]),
        "compact": np.stack([maxsim.code_scores(query, coded) for query in queries]),
    }
    best = {form: _best(rows) for form, rows in scores.items()}
    agreeing = [np.isin(*rows).mean() for rows in zip(best["full"], best["compact"], strict=True)]
    each = {form: ndcg(rows, gains) for form, rows in scores.items()}
    quality = {form: float(np.mean(values)) for form, values in each.items()}
    return {
        "pages": len(pages),
        "queries": len(queries),
        **{f"{form}_ndcg10": round(value, 4) for form, value in quality.items()},
        "difference": round(quality["compact"] - quality["full"], 4),
        "interval": interval(each["compact"] - each["full"]),
        "same_of_ten": round(float(np.mean(agreeing)), 4),
    }


def ndcg(scores: Floats, gains: Floats) -> Floats:
    """Return nDCG@10 of each query."""
    discounts = 1 / np.log2(np.arange(2, _BEST + 2))
    reached = np.take_along_axis(gains, _best(scores), axis=1) @ discounts
    ideal = -np.sort(-gains, axis=1)[:, :_BEST] @ discounts
    return np.asarray(reached / ideal, dtype=np.float32)


def _best(scores: Floats) -> Numbers:
    return np.argsort(-scores, axis=1, kind="stable")[:, :_BEST]


def interval(differences: Floats) -> list[float]:
    """Return the 95 % confidence interval of the mean, by bootstrap over queries."""
    chance = np.random.default_rng(0)
    means = differences[chance.integers(0, len(differences), (_RESAMPLES, len(differences)))].mean(axis=1)
    return [round(float(bound), 4) for bound in np.quantile(means, [0.025, 0.975])]


def write(name: str, figures: Mapping[str, Any]) -> None:
    """Store these figures next to the others."""
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    RESULTS.write_text(json.dumps({**stored, name: figures}, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Measure, print and write."""
    world = World()
    drawn = list(documents(world, PAGES))
    pages = [page for document in drawn for page in document.pages()]
    concepts = [set(page.tolist()) for document in drawn for page in document.concepts]
    subjects = [world.subject(number).tolist() for number in range(len(world.targets))]
    shares = [[len(page.intersection(subject)) / len(subject) for page in concepts] for subject in subjects]
    write("synthetic", order(world.questions(), pages, np.array(shares, dtype=np.float32)))
    write("scores", _times(world.questions()[0], pages[:_TIMED_PAGES]))
    with household(model="questions") as house:
        program = ("-W", "ignore", "-m", "benchmarks.harness.in_django", "benchmarks.search.compact_in_postgres")
        write("postgres", json.loads(house.run(*program).splitlines()[-1]))
    sys.stdout.write(table(json.loads(RESULTS.read_text(encoding="utf-8"))))
    return 0


def _times(query: Floats, pages: list[Halves]) -> dict[str, Any]:
    """Return the time to score one page in each form, in turns."""
    coded = [codec.encode(page) for page in pages]

    def once() -> tuple[float, float]:
        began = time.perf_counter()
        maxsim.scores(query, pages)
        between = time.perf_counter()
        maxsim.code_scores(query, coded)
        return between - began, time.perf_counter() - between

    once()
    rounds = steal_time.rounds(once, count=_ROUNDS)
    full, compact = (1e6 * min(one.value[form] for one in rounds) / len(pages) for form in (0, 1))
    return {
        "query_vectors": len(query),
        "dim": DIM,
        "full_us": round(full, 1),
        "compact_us": round(compact, 1),
        "stolen_percent": steal_time.percent(rounds),
    }


def table(results: Mapping[str, Any]) -> str:
    """Return the figures as Markdown."""
    postgres, scores = results["postgres"], results["scores"]
    size = ("kB of a page in Postgres", postgres["full_bytes"] / 1000, postgres["compact_bytes"] / 1000, "")
    rows = [
        size,
        ("us to read a page", postgres["full_read_us"], postgres["compact_read_us"], postgres["read_stolen_percent"]),
        ("us to score a page", scores["full_us"], scores["compact_us"], scores["stolen_percent"]),
    ]
    lines = [
        f"| {name} | {full:,.1f} | {compact:,.1f} | {compact / full:.2f} | {stolen} |"
        for name, full, compact, stolen in rows
    ]
    order_rows = [
        f"| {name} | {row['pages']:,} | {row['queries']} | {row['full_ndcg10']:.4f} | {row['compact_ndcg10']:.4f} | "
        f"{row['difference']:+.4f} [{row['interval'][0]:+.4f}, {row['interval'][1]:+.4f}] | {row['same_of_ten']:.3f} |"
        for name, row in results.items()
        if "difference" in row
    ]
    return "\n".join(
        [
            "| | full | compact | ratio | stolen % |",
            "|---|---|---|---|---|",
            *lines,
            "",
            "| pages | number | queries | nDCG@10, full | compact | difference [95 %] | same of the best ten |",
            "|---|---|---|---|---|---|---|",
            *order_rows,
            "",
            *_pooled_lines(results.get("pooled")),
        ]
    )


def _pooled_lines(pooled: Mapping[str, Any] | None) -> list[str]:
    if pooled is None:
        return []
    lines = [
        f"| {row['factor']} | {row['vectors']:,.1f} | {row['ndcg10']:.4f} | "
        + (
            f"{row['difference']:+.4f} [{row['interval'][0]:+.4f}, {row['interval'][1]:+.4f}] |"
            if "interval" in row
            else "|"
        )
        for row in pooled["factors"]
    ]
    return [
        f"`COLPALI_POOL_FACTOR`, {pooled['model']}, {pooled['pages']:,} pages, {pooled['queries']} questions:",
        "",
        "| factor | vectors per page | nDCG@10 | difference [95 %] |",
        "|---|---|---|---|",
        *lines,
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
