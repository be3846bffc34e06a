"""Choose parameters on other texts: `python -m benchmarks.quality.fit`

Prints the mean reciprocal rank of the right page by kind of question: for each weight and power of the covered share of
the words, for each number of pages up to which those with an identifier come first, and for each share of the mark and
number of equal vectors of a question's passage.
"""

import itertools
import sys
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import encoded, models, ranks
from benchmarks.quality.encoded import Encoded
from benchmarks.quality.evaluation import Evaluation, Scores, by_places
from collections_app.engine.retrieval import fusion
from embeddings.backends.embedded import passage_rows
from embeddings.backends.encoders.bert import Floats
from embeddings.backends.encoders.sentences import SentenceEncoder

_WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
_POWERS = (1, 2, 4)
_LIMITS = (0, 3, 5, 10, 20, 50, 1000)
_SHARES: Final = (0.0, 0.15, 0.3, 0.5)
_COPIES: Final = (1, 2, 3, 4, 6)


def main() -> int:
    """Print a line per choice of parameters."""
    texts = Evaluation.for_fitting()
    kinds = texts.kinds()
    meaning, words = texts.maxsim(models.DEFAULT), texts.coverage()
    sys.stdout.write(f"{'':24}" + "".join(f"{kind:>12}" for kind in kinds) + "\n")
    fused = meaning + fusion.WEIGHT * words**fusion.POWER
    ways = {
        "bm25": texts.bm25(),
        "by places": by_places(meaning, texts.bm25()),
        **{f"weight {w:g}, power {p}": meaning + w * words**p for p, w in itertools.product(_POWERS, _WEIGHTS)},
        **{f"identifiers on {n} pages": fused + fusion.FIRST * texts.has_identifier(at_most=n) for n in _LIMITS},
        **dict(_with_passages(texts)),
    }
    for name, scores in ways.items():
        reciprocal = 1 / texts.ranks(scores)
        cells = "".join(f"{np.mean(reciprocal[numbers]):12.3f}" for numbers in kinds.values())
        sys.stdout.write(f"{name:24}{cells}\n")
    return 0


def _with_passages(texts: Evaluation) -> Iterator[tuple[str, Scores]]:
    """Yield the scores if questions and pages have vectors of passages."""
    encoder = SentenceEncoder()
    of_questions = [encoder.meanings(encoder.whole(one.text)) for one in texts.questions]
    of_pages = [encoder.meanings(encoder.passages(page.text)) for page in texts.pages]
    queries = encoded.encode(models.PIECES, [one.text for one in texts.questions], task="query")
    known = encoded.encode(models.PIECES, [page.text for page in texts.pages], task="document")
    for share in _SHARES:
        pages = _extended(known, of_pages, share=share, copies=1)
        for copies in _COPIES:
            questions = _extended(queries, of_questions, share=share, copies=copies)
            yield f"mark {share:g}, {copies} equal", ranks.maxsim(questions, pages).astype(np.float64)


def _extended(texts: Encoded, passages: list[Floats], *, share: float, copies: int) -> Encoded:
    rows: list[NDArray[np.floating]] = []
    starts, length = [], 0
    for number, of_text in enumerate(passages):
        rows += [texts.halves(number), np.repeat(passage_rows(of_text, share=share), copies, axis=0)]
        starts.append(length)
        length += len(rows[-2]) + len(rows[-1])
    return Encoded(np.concatenate(rows).astype(np.float16), np.array(starts))


if __name__ == "__main__":
    sys.exit(main())
