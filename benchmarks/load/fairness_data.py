"""The data of the fairness benchmark, stored by `benchmarks.harness.in_django`: `fairness_data PAGES DOCUMENTS`.

Two owners get the pages; the first also gets so many documents without pages. Prints three keys of the first owner and
one of the second.
"""

import json
import sys

from accounts.access import SCOPES, Caller
from accounts.key_lifecycle import Rights, mint_key
from accounts.ownership import acting_for
from benchmarks.search import corpus, fill
from collections_app.models import Collection, Document

COLLECTION = "first"
_BATCH = 5000


def store(pages: int, documents: int) -> list[str]:
    """Store the rows; return the keys."""
    hostile, other = fill.owner("hostile@benchmarks.example"), fill.owner("other@benchmarks.example")
    stored = corpus.load(pages).pages
    for caller in (hostile, other):
        fill.put(fill.Shelf(caller, COLLECTION), stored)
    with acting_for(hostile.owner_id) as tx:
        collection = Collection.objects.get(owner_id=tx.owner_id, name=COLLECTION)
        rows = (
            Document(
                owner_id=tx.owner_id,
                collection=collection,
                name=f"row-{number}",
                metadata={"signed": f"2026-01-{1 + number % 28:02d}T09:30:00Z", "text": "lighthouse " * 20},
            )
            for number in range(documents)
        )
        Document.objects.bulk_create(rows, batch_size=_BATCH)
    return [_key(hostile), _key(hostile), _key(hostile), _key(other)]


def _key(caller: Caller) -> str:
    with acting_for(caller.owner_id) as tx:
        return mint_key(tx, rights=Rights(scopes=frozenset(SCOPES))).text


if __name__ == "__main__":
    sys.stdout.write(json.dumps(store(int(sys.argv[1]), int(sys.argv[2]))) + "\n")
