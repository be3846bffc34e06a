"""Choose the parameters of the fused ranking on other texts: `python -m benchmarks.quality.fit MODEL`

Prints the mean reciprocal rank of the right page by kind of question: for each weight and power of the covered share of
the words, for each number of pages up to which those with an identifier come first, and for each length and weight of
vectors of whole texts, or of the passages of the best fifty pages.
"""

import itertools
import sys

import numpy as np

from benchmarks.quality.evaluation import Evaluation, by_places, reordered
from collections_app.engine.retrieval import fusion

_WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
_POWERS = (1, 2, 4)
_LIMITS = (0, 3, 5, 10, 20, 50, 1000)
_PIECES = (None, 96, 48)
_WEIGHTS_OF_ROWS = (0.5, 1, 2, 4)


def main(model: str) -> int:
    """Print a line per choice of parameters."""
    texts = Evaluation.for_fitting()
    kinds = texts.kinds()
    meaning, words = texts.maxsim(model), texts.coverage()
    sys.stdout.write(f"{'':24}" + "".join(f"{kind:>12}" for kind in kinds) + "\n")
    fused = meaning + fusion.WEIGHT * words**fusion.POWER
    ways = {
        "bm25": texts.bm25(),
        "by places": by_places(meaning, texts.bm25()),
        **{f"weight {w:g}, power {p}": meaning + w * words**p for p, w in itertools.product(_POWERS, _WEIGHTS)},
        **{f"identifiers on {n} pages": fused + fusion.FIRST * texts.has_identifier(at_most=n) for n in _LIMITS},
    }
    for pieces, weight in itertools.product(_PIECES, _WEIGHTS_OF_ROWS):
        scores = texts.with_rows(model, meaning, pieces=pieces, weight=weight)
        ways[f"rows of {pieces or 'all'}, weight {weight:g}"] = scores if pieces is None else reordered(meaning, scores)
    for name, scores in ways.items():
        reciprocal = 1 / texts.ranks(scores)
        cells = "".join(f"{np.mean(reciprocal[numbers]):12.3f}" for numbers in kinds.values())
        sys.stdout.write(f"{name:24}{cells}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
