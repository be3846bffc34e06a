"""The data and queries of the load benchmark, run by `benchmarks.harness.in_django`: `fill PAGES` or `verb`.

`fill` distributes the pages over ten owners with two collections each and prints a key per owner. `verb` calls the
search function: for each line it reads, it runs the query of that number and prints the milliseconds.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator

from accounts.access import SCOPES, Caller
from accounts.key_lifecycle import Rights, mint_key
from accounts.models import CustomUser
from accounts.ownership import acting_for
from benchmarks.search import corpus, fill
from benchmarks.search.query_service import text_of
from benchmarks.search.synthetic import QUESTIONS
from collections_app.search import SearchRequest, TextQuery, search

OWNERS = 10
COLLECTIONS = ("first", "second")
TOP_K = 3


def _email(number: int) -> str:
    return f"owner{number}@benchmarks.example"


def keys(pages: int) -> list[str]:
    """Create owners with their pages; return a key of each."""
    stored = corpus.load(pages).pages
    share = len(stored) // (OWNERS * len(COLLECTIONS))
    texts = []
    for number in range(OWNERS):
        caller = fill.owner(_email(number))
        for place, collection in enumerate(COLLECTIONS):
            start = (number * len(COLLECTIONS) + place) * share
            fill.put(fill.Shelf(caller, collection), stored[start : start + share])
        with acting_for(caller.owner_id) as tx:
            texts.append(mint_key(tx, rights=Rights(scopes=frozenset(SCOPES))).text)
    return texts


def verb_ms(numbers: Iterable[int]) -> Iterator[float]:
    """Run each query for the next owner and collection, as over HTTP."""
    callers = [_caller(number) for number in range(OWNERS)]
    for number in numbers:
        caller = callers[number % OWNERS]
        request = SearchRequest(
            query=TextQuery(text_of(number % QUESTIONS), at=""),
            collections=frozenset({COLLECTIONS[number % len(COLLECTIONS)]}),
            top_k=TOP_K,
        )
        began = time.perf_counter()
        search(caller, request)
        yield 1000 * (time.perf_counter() - began)


def _caller(number: int) -> Caller:
    return Caller.of_owner(
        CustomUser.objects.values_list("pk", flat=True).get(email=_email(number)), email=_email(number)
    )


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        sys.stdout.write(json.dumps(keys(int(sys.argv[2]))) + "\n")
    else:
        for milliseconds in verb_ms(map(int, sys.stdin)):
            sys.stdout.write(f"{milliseconds}\n")
            sys.stdout.flush()
