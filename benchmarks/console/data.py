"""The data of the console benchmark: `python -m benchmarks.harness.in_django benchmarks.console.data DOCUMENTS`

Creates an owner with that many documents of ten pages each, nine of ten in one collection; prints a key and a page.
The vectors of the pages are random; their texts are of common words and a number.
"""

import json
import random
import sys

import numpy as np

from accounts.access import SCOPES
from accounts.key_lifecycle import Rights, mint_key
from accounts.ownership import acting_for
from benchmarks.search import fill
from benchmarks.search.synthetic import DIM, Halves
from collections_app.models import Page

PAGES_OF_A_DOCUMENT = 10
LARGE, SMALL = "archive", "projects"
_SHARE_OF_SMALL = 10
_VECTORS = 64
_WORDS_OF_A_PAGE = 200
_DOCUMENTS_AT_ONCE = 100
_WORDS = (
    *("account", "bridge", "budget", "city", "contract", "data", "delivery", "design", "energy", "factory", "figure"),
    *("forest", "grant", "harbour", "invoice", "journey", "kernel", "ledger", "market", "meeting", "network", "office"),
    *(
        "order",
        "people",
        "plan",
        "power",
        "price",
        "quality",
        "quarter",
        "railway",
        "region",
        "report",
        "river",
        "road",
    ),
    *("school", "season", "service", "station", "summary", "supply", "system", "table", "traffic", "water", "winter"),
)


def main(documents: int) -> None:
    """Store the documents; print what the requests need as JSON."""
    caller = fill.owner("console@benchmarks.example")
    small = documents // _SHARE_OF_SMALL
    _store(fill.Shelf(caller, LARGE), documents - small, first=0)
    _store(fill.Shelf(caller, SMALL), small, first=documents - small)
    with acting_for(caller.owner_id) as tx:
        key = mint_key(tx, rights=Rights(scopes=frozenset(SCOPES))).text
        page = Page.objects.select_related("revision__document").filter(owner_id=caller.owner_id).latest("pk")
        document = page.revision.document.name
    about = {
        "key": key,
        "large": LARGE,
        "pages": documents * PAGES_OF_A_DOCUMENT,
        "collection": SMALL,
        "document": document,
        "page": page.number,
    }
    sys.stdout.write(json.dumps(about) + "\n")


def _store(shelf: fill.Shelf, documents: int, *, first: int) -> None:
    for start in range(first, first + documents, _DOCUMENTS_AT_ONCE):
        count = PAGES_OF_A_DOCUMENT * min(_DOCUMENTS_AT_ONCE, first + documents - start)
        number = start * PAGES_OF_A_DOCUMENT
        fill.put(
            shelf,
            _pages(count, seed=start),
            first=number,
            texts=[_text(number + place) for place in range(count)],
            pages_of_a_file=PAGES_OF_A_DOCUMENT,
        )


def _pages(count: int, *, seed: int) -> Halves:
    drawn = np.random.default_rng(seed).standard_normal((count, _VECTORS, DIM), dtype=np.float32)
    pages: Halves = (drawn / np.linalg.norm(drawn, axis=2, keepdims=True)).astype(np.float16)
    return pages


def _text(number: int) -> str:
    words = random.Random(number).choices(_WORDS, k=_WORDS_OF_A_PAGE)  # noqa: S311 - the same text every time
    return f"Page {number}\n" + " ".join(words)


if __name__ == "__main__":
    main(int(sys.argv[1]))
