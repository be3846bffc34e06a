"""Compare compact storage with full on real text: `python -m benchmarks.quality.compact [MODEL]`

The pages and questions are those of `make bench-quality`. Adds to benchmarks/results/compact.json.
"""

import sys

import numpy as np

from benchmarks.quality import encoded, fetch, models
from benchmarks.quality.evaluation import Evaluation
from benchmarks.search import compact
from benchmarks.search.synthetic import Floats, Halves


def main(model: str) -> int:
    """Measure, print and write."""
    fetch.fetch()
    figures = compact.order(*collection_of(model))
    compact.write(f"text, {model}", figures)
    sys.stdout.write(f"{figures}\n")
    return 0


def collection_of(model: str) -> tuple[list[Floats], list[Halves], Floats]:
    """Return the vectors of the questions and of the pages, and which pages are right (questions, pages)."""
    texts = Evaluation.held_out()
    stored = encoded.encode(model, [page.text for page in texts.pages], task="document")
    asked = encoded.encode(model, [one.text for one in texts.questions], task="query")
    gains = np.zeros((len(texts.questions), len(texts.pages)), dtype=np.float32)
    for row, answers in zip(gains, texts.answers, strict=True):
        row[list(answers)] = 1
    queries = [asked.halves(number).astype(np.float32) for number in range(len(texts.questions))]
    pages = [np.ascontiguousarray(stored.halves(number), dtype=np.float16) for number in range(len(texts.pages))]
    return queries, pages, gains


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] else models.DEFAULT))
