"""One process of the comparison: `python -m benchmarks.harness.in_django benchmarks.search.sketch_files.process ...`

`fill PAGES` stores pages with random sketches and prints their owner. `search OWNER MEGABYTES` is a process that may
have so many megabytes of files; it answers the lines `ready`, `scan` and `memory`.
"""

import json
import os
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from django.conf import settings

from accounts.access import Caller
from accounts.ownership import acting_for
from benchmarks.harness.memory import resident
from benchmarks.search import fill
from benchmarks.search.query_service import SPACE
from benchmarks.search.synthetic import DIM
from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.pooling import COARSE, FINE
from collections_app.engine.retrieval.segment import Segment
from collections_app.engine.retrieval.sketch import FORMAT, CompactForms, compact_forms, vector_bytes
from collections_app.engine.retrieval.sketch_scan import EncodedQuery
from collections_app.search import scope
from collections_app.search.index import process_index
from collections_app.search.scope import Scope

_AT_ONCE = 1000
_VECTORS = 8  # of a question, merged
_EMAIL = "files@benchmarks.example"


def store(pages: int) -> int:
    """Store pages with random sketches, and return their owner."""
    caller = fill.owner(_EMAIL)
    rng = np.random.default_rng(1)
    one = rng.normal(size=(1, DIM)).astype(np.float16)
    pooled = compact_forms(one).pooled
    header = bytes([FORMAT, FINE, COARSE])
    for first in range(0, pages, _AT_ONCE):
        count = min(_AT_ONCE, pages - first)
        forms = [CompactForms(pooled, header + rng.bytes((FINE + COARSE) * vector_bytes(DIM))) for _ in range(count)]
        fill.put(fill.Shelf(caller, "many"), [one] * count, first=first, forms=forms)
    return caller.owner_id


class Searcher:
    """What a web server process does before and during the first look at sketches."""

    def __init__(self, owner_id: int) -> None:
        self._owner_id = owner_id
        self._caller = Caller.of_owner(owner_id, email=_EMAIL)
        self._segment: Segment | None = None
        vectors = np.random.default_rng(2).normal(size=(_VECTORS, DIM)).astype(np.float32)
        self._query: EncodedQuery = sketch_scan.encode_query(vectors)

    def ready(self) -> dict[str, Any]:
        """Load the sketches, and look at all of them once."""
        with acting_for(self._owner_id) as tx:
            space_id, versions = scope.collection_versions(tx, self._caller, Scope(), SPACE)
            if space_id is None:
                raise SystemExit("There are no pages.")
            began = time.perf_counter()
            (self._segment,) = process_index.segments(tx, versions, space_id=space_id, dim=DIM)
            loaded = time.perf_counter()
        self.scan()
        return {
            "load_ms": round(1000 * (loaded - began), 1),
            "first_look_ms": round(1000 * (time.perf_counter() - loaded), 1),
            "files": len(self._segment.files),
        }

    def scan(self) -> dict[str, Any]:
        """Look at all sketches."""
        began = time.perf_counter()
        for block in self._segment.blocks if self._segment else ():
            sketch_scan.score_coarse(self._query, block.sketches.coarse, block.rows, dim=DIM)
        return {"ms": 1000 * (time.perf_counter() - began)}

    def memory(self) -> dict[str, Any]:
        return {"mb": round(resident(os.getpid()) / 1e6, 1)}


def main(argv: list[str]) -> None:
    if argv[0] == "fill":
        sys.stdout.write(f"{store(int(argv[1]))}\n")
        return
    settings.ENV = replace(settings.ENV, index_files_mb=int(argv[2]), index_mb=4096)
    searcher = Searcher(int(argv[1]))
    for line in sys.stdin:
        answer = {"ready": searcher.ready, "scan": searcher.scan, "memory": searcher.memory}[line.strip()]()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
