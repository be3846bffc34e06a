"""The ranks that PaliAPI itself gives the right pages; run by `benchmarks.harness.in_django`.

Stores the pages in Postgres as a worker does, and searches them through the search function. Needs the environment of a
household whose embeddings service has the default model. Prints, for each way, the ranks; null if beyond the hits.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Literal

from benchmarks.quality import encoded, models
from benchmarks.quality.evaluation import Evaluation
from benchmarks.search import fill
from collections_app.search import Mode, Ranking, SearchRequest, TextQuery, search

DEPTH = 100
_COLLECTION = "documentation"
# By name: ranking, mode, and how many hits. The last one is what a client gets that asks for ten pages.
WAYS: Mapping[str, tuple[Ranking | Literal["auto"], Mode, int]] = {
    "lexical": ("lexical", "auto", DEPTH),
    "maxsim": ("maxsim", "exact", DEPTH),
    "hybrid": ("hybrid", "exact", DEPTH),
    "auto": ("auto", "exact", DEPTH),
    "hybrid, ten": ("hybrid", "auto", 10),
    "maxsim, ten": ("maxsim", "auto", 10),
    "auto, ten": ("auto", "auto", 10),
}


def main(model: str, which: str) -> int:
    """Store, search and print."""
    texts = Evaluation.held_out() if which == "held-out" else Evaluation.for_fitting()
    vectors = encoded.encode(model, [page.text for page in texts.pages], task="document")
    caller = fill.owner("quality@benchmarks.example")
    shelf = fill.Shelf(caller, _COLLECTION, models.NAMES[model].space)
    rows = [vectors.halves(number) for number in range(len(texts.pages))]
    fill.put(shelf, rows, texts=[page.text for page in texts.pages])
    ranks: dict[str, list[int | None]] = {name: [] for name in WAYS}
    for question, right in zip(texts.questions, texts.answers, strict=True):
        for name, (ranking, mode, count) in WAYS.items():
            query = TextQuery(question.text, at="")
            request = SearchRequest(query=query, ranking=ranking, mode=mode, top_k=count)
            hits = [fill.number_of(hit) for hit in search(caller, request).hits]
            ranks[name].append(_rank(hits, right))
    sys.stdout.write(json.dumps(ranks) + "\n")
    return 0


def _rank(hits: Sequence[int], right: Sequence[int]) -> int | None:
    return next((rank for rank, hit in enumerate(hits, start=1) if hit in right), None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
