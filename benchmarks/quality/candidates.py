"""Compare candidates by merged query vectors with those by all on real text: `python -m benchmarks.quality.candidates`

The pages are those of `make bench-quality`, with the vectors of the default model. *questions*: those with so many
vectors that they are merged. *passages*: pieces of the pages' own text. Adds to benchmarks/results/candidates.json.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.quality import encoded, fetch, models
from benchmarks.quality.documentation import Page, pages
from benchmarks.quality.questions import questions
from benchmarks.search import candidates
from collections_app.engine.retrieval import maxsim, sketch, sketch_scan
from collections_app.engine.retrieval.plan import PLAN

_BEST = 10
_PASSAGES, _FIRST_WORD, _WORDS = 150, 60, 16


def main(model: str) -> int:
    """Measure, print and write."""
    fetch.fetch()
    known = pages(fetch.FOLDER)
    stored = encoded.encode(model, [page.text for page in known], task="document")
    vectors = [stored.halves(number).astype(np.float16) for number in range(len(known))]
    forms = [sketch.compact_forms(page).sketch for page in vectors]
    sketched, _ = sketch_scan.load(b"".join(forms), np.array([len(one) for one in forms]), dim=vectors[0].shape[1])
    rows = {}
    for name, texts in (("questions", [one.text for one in questions()]), ("passages", _passages(known))):
        queries = encoded.encode(model, texts, task="query")
        asked = [queries.halves(number).astype(np.float32) for number in range(len(texts))]
        asked = [query for query in asked if len(query) > PLAN.merged_vectors]
        exact = [np.argsort(-maxsim.scores(query, vectors), kind="stable")[:_BEST].tolist() for query in asked]
        for suffix, plan in (("", PLAN), (", few candidates", candidates.FEW)):
            # Among so few pages, merging saves time only for long queries, but this shows what it does to recall.
            always = replace(plan, fine_cost=0)
            rows[f"{model}, {name}{suffix}"] = candidates.compared(sketched, asked, exact, plan=always)
    candidates.write(rows)
    sys.stdout.write(candidates.table(rows))
    return 0


def _passages(known: Sequence[Page]) -> list[str]:
    """Return words from the middle of pages all over the collection."""
    long = [words for words in (page.text.split() for page in known) if len(words) >= _FIRST_WORD + _WORDS]
    chosen = long[:: max(1, len(long) // _PASSAGES)][:_PASSAGES]
    return [" ".join(words[_FIRST_WORD : _FIRST_WORD + _WORDS]) for words in chosen]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] else models.DEFAULT))
