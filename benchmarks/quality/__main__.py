"""Measure retrieval quality on real documentation: `make bench-quality`

Fetches the pages (packages.txt, from a Debian mirror), encodes them with each model, and ranks them for the questions
in questions.txt. Prints the table and writes benchmarks/results/quality.json. `--without-search` leaves out the part
that searches in Postgres, which takes longest.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.household import household
from benchmarks.quality import fetch, models, ranks, report
from benchmarks.quality.evaluation import Evaluation, by_places, fused

_AT = 10


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-search", action="store_true", help="leave out the part that searches in Postgres")
    without_search = parser.parse_args().without_search
    versions = fetch.fetch()
    texts = Evaluation.held_out()
    meaning = {name: texts.maxsim(name) for name in models.NAMES}
    words = texts.bm25()
    best = meaning[models.DEFAULT]
    by_way = {
        "BM25": texts.ranks(words),
        **{name: texts.ranks(scores) for name, scores in meaning.items()},
        "fused": texts.ranks(fused(texts, best)),
        "by places": texts.ranks(by_places(best, words)),
    }
    if not without_search:
        by_way |= {f"search: {name}": places for name, places in product_ranks(models.DEFAULT, "held-out").items()}
    results = {
        "pages": len(texts.pages),
        "languages": {name: sum(page.language == name for page in texts.pages) for name in _languages(texts)},
        "questions": {kind: len(numbers) for kind, numbers in texts.kinds().items()},
        "packages": versions,
        "quality": {name: _quality(texts, places) for name, places in by_way.items()},
        "differences": _differences(texts, by_way),
    }
    report.RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(report.table(results))
    return 0


def product_ranks(model: str, which: str) -> dict[str, NDArray[np.float64]]:
    """Return the ranks by PaliAPI's own search, infinite beyond its hits."""
    with household(model="embedded") as house:
        program = ("-W", "ignore", "-m", "benchmarks.harness.in_django", "benchmarks.quality.product")
        places = json.loads(house.run(*program, model, which).splitlines()[-1])
    return {
        name: np.array([np.inf if rank is None else rank for rank in row], dtype=np.float64)
        for name, row in places.items()
    }


def _languages(texts: Evaluation) -> list[str]:
    return list(dict.fromkeys(page.language for page in texts.pages))


def _quality(texts: Evaluation, places: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    return {
        kind: {
            "mrr": round(float(np.mean(1 / places[numbers])), 4),
            "recall10": round(float(np.mean(places[numbers] <= _AT)), 4),
        }
        for kind, numbers in texts.kinds().items()
    }


def _differences(texts: Evaluation, by_way: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Return mean, low and high of each pair that is compared."""
    cut = {name: np.where(places <= _AT, places, np.inf) for name, places in by_way.items()}
    pairs = {
        f"{one} - {other}": (by_way[one], by_way[other]) for one, other in report.PAIRS if {one, other} <= by_way.keys()
    }
    pairs |= {
        f"{one} - {other}": (cut[one], cut[other]) for one, other in report.CUT_PAIRS if {one, other} <= by_way.keys()
    }
    return {
        name: {
            kind: [round(value, 4) for value in ranks.interval(one[numbers], other[numbers])]
            for kind, numbers in texts.kinds().items()
        }
        for name, (one, other) in pairs.items()
    }


if __name__ == "__main__":
    sys.exit(main())
