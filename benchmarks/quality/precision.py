"""Measure what the default model loses by its matrices of eight bits: `python -m benchmarks.quality.precision`

Encodes the pages and questions of `make bench-quality` with the default model as it is, and with the same weights
multiplied in float32. Prints the figures and writes them to benchmarks/results/precision.json.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import encoded, fetch, models, ranks
from benchmarks.quality.evaluation import Evaluation

RESULTS = Path(__file__).parents[1] / "results" / "precision.json"


def main() -> int:
    """Measure, print and write."""
    fetch.fetch()
    texts = Evaluation.held_out()
    known = [page.text for page in texts.pages]
    rounded, unrounded = (
        encoded.encode(model, known, task="document").rows for model in (models.DEFAULT, models.UNROUNDED)
    )
    places = {model: texts.ranks(texts.maxsim(model)) for model in (models.DEFAULT, models.UNROUNDED)}
    results = {
        "pages": len(known),
        "vectors": len(rounded),
        "cosine": _figures(cosines(rounded, unrounded)),
        "questions": {kind: len(numbers) for kind, numbers in texts.kinds().items()},
        "mrr": {
            model: {kind: round(float(np.mean(1 / of_all[numbers])), 4) for kind, numbers in texts.kinds().items()}
            for model, of_all in places.items()
        },
        "difference": {
            kind: [
                round(value, 4)
                for value in ranks.interval(places[models.DEFAULT][numbers], places[models.UNROUNDED][numbers])
            ]
            for kind, numbers in texts.kinds().items()
        },
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(results))
    return 0


def cosines(rows: NDArray[np.float16], others: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return the cosine of each vector with that in the other array."""
    left, right = rows.astype(np.float32), others.astype(np.float32)
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines: NDArray[np.float32] = np.einsum("ij,ij->i", left, right) / lengths
    return cosines


def table(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = ["| questions | eight bits | float32 | difference |", "|---|---|---|---|"]
    for kind, count in results["questions"].items():
        rounded, unrounded = (results["mrr"][model][kind] for model in (models.DEFAULT, models.UNROUNDED))
        difference = "{:+.4f} [{:+.4f}, {:+.4f}]".format(*results["difference"][kind])
        lines.append(f"| {kind} ({count}) | {rounded:.4f} | {unrounded:.4f} | {difference} |")
    cosine = results["cosine"]
    return (
        "\n".join(lines)
        + f"\n\n{results['vectors']} vectors of {results['pages']} pages: their cosine with those in float32 is"
        + f" {cosine['mean']} on average, and {cosine['percentile1']} or more for 99 % of them.\n"
    )


def _figures(values: NDArray[np.float32]) -> dict[str, float]:
    return {"mean": round(float(values.mean()), 4), "percentile1": round(float(np.percentile(values, 1)), 4)}


if __name__ == "__main__":
    sys.exit(main())
