"""Choose the parameters of the fused ranking on other texts: `python -m benchmarks.quality.fit MODEL`

Prints the reciprocal rank of the right page by kind for each weight and power of the covered share of the words.
"""

import itertools
import sys

import numpy as np

from benchmarks.quality.evaluation import Evaluation, by_places

_WEIGHTS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
_POWERS = (1.0, 2.0, 4.0)


def main(model: str) -> int:
    """Print a line per pair of parameters."""
    texts = Evaluation.for_fitting()
    kinds = texts.kinds()
    meaning, words = texts.maxsim(model), texts.coverage()
    sys.stdout.write(f"{'':16}" + "".join(f"{kind:>12}" for kind in kinds) + "\n")
    ways = {
        "bm25": texts.bm25(),
        "by places": by_places(meaning, texts.bm25()),
        **{f"{w:g} {p:g}": meaning + w * words**p for w, p in itertools.product(_WEIGHTS, _POWERS)},
    }
    for name, scores in ways.items():
        reciprocal = 1 / texts.ranks(scores)
        cells = "".join(f"{np.mean(reciprocal[numbers]):12.3f}" for numbers in kinds.values())
        sys.stdout.write(f"{name:16}{cells}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
