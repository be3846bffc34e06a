"""Look for what everyday English loses with the default model: `python -m benchmarks.quality.english`

The pages and questions are those of `make bench-quality`. Compares the scores as they are with those of other ways to
weigh the same vectors. Writes benchmarks/results/quality_english.json.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import encoded, fetch, models, ranks
from benchmarks.quality.encoded import Encoded
from benchmarks.quality.evaluation import Evaluation, Scores
from embeddings.backends.encoders.e5 import E5

RESULTS: Final = Path(__file__).parents[1] / "results" / "quality_english.json"
_AS_IS: Final = "as is"
_ENGLISH: Final = "en"


def main() -> int:
    """Measure, print and write."""
    fetch.fetch()
    texts = Evaluation.held_out()
    languages = np.array([page.language for page in texts.pages])
    meaning = texts.maxsim(models.DEFAULT)
    places = {
        _AS_IS: texts.ranks(meaning),
        "only English pages": texts.ranks(np.where(languages == _ENGLISH, meaning, meaning - 1)),
        "without stop words": texts.ranks(_without_stop_words(texts)),
        "centred by language": texts.ranks(centred(meaning, languages)),
    }
    rows = {
        name: {kind: _figures(one[numbers], places[_AS_IS][numbers]) for kind, numbers in texts.kinds().items()}
        for name, one in places.items()
    }
    results = {"questions": {kind: len(numbers) for kind, numbers in texts.kinds().items()}, "ways": rows}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(results))
    return 0


def centred(scores: Scores, languages: NDArray[np.str_]) -> Scores:
    """Return the scores of each question, less their mean among the pages in the same language."""
    less = np.empty_like(scores)
    for language in np.unique(languages):
        of_language = languages == language
        less[:, of_language] = scores[:, of_language] - scores[:, of_language].mean(axis=1, keepdims=True)
    return less


def without(queries: Encoded, dropped: Sequence[NDArray[np.bool_]]) -> Encoded:
    """Return queries without some of their first vectors; one that would lose all of these keeps them."""
    rows, lengths = [], []
    for number, drop in enumerate(dropped):
        kept = np.ones(queries.lengths()[number], dtype=np.bool_)
        if not drop.all():
            kept[: len(drop)] = ~drop
        rows.append(queries.halves(number)[kept])
        lengths.append(len(rows[-1]))
    return Encoded(np.concatenate(rows), np.cumsum([0, *lengths[:-1]]))


def _without_stop_words(texts: Evaluation) -> Scores:
    tokenizer = E5()
    pieces = [tokenizer.tokenize(one.text) for one in texts.questions]
    # A stop word has no direction of its own.
    dropped = [np.array([not words for words in one.words])[one.embedded] for one in pieces]
    queries = encoded.encode(models.DEFAULT, [one.text for one in texts.questions], task="query")
    pages = encoded.encode(models.DEFAULT, [page.text for page in texts.pages], task="document")
    return ranks.maxsim(without(queries, dropped), pages).astype(np.float64)


def _figures(places: NDArray[np.float64], as_is: NDArray[np.float64]) -> dict[str, Any]:
    difference = [round(value, 4) for value in ranks.interval(places, as_is)]
    return {"mrr": round(float(np.mean(1 / places)), 4), "difference": difference}


def table(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    kinds = list(results["questions"])
    head = "| MRR | " + " | ".join(f"{kind} ({count})" for kind, count in results["questions"].items()) + " |\n"
    lines = [
        f"| {name} | " + " | ".join(_cell(by_kind[kind], compared=name != _AS_IS) for kind in kinds) + " |\n"
        for name, by_kind in results["ways"].items()
    ]
    return head + "|---" * (1 + len(kinds)) + "|\n" + "".join(lines)


def _cell(figures: Mapping[str, Any], *, compared: bool) -> str:
    value = f"{figures['mrr']:.3f}"
    return value + " ({:+.3f} [{:+.3f}, {:+.3f}])".format(*figures["difference"]) if compared else value


if __name__ == "__main__":
    sys.exit(main())
