"""Make the pages: `python -m benchmarks.harness.in_django benchmarks.search.many.build PAGES SUPERUSER_URL`

It may be stopped at any point: what is missing is made by the next run. All pages get their sketches and pooled
vectors. All vectors are stored only for the pages that a search for any query may score.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from accounts.access import Caller
from accounts.models import CustomUser
from accounts.ownership import acting_for
from benchmarks.search import fill, synthetic
from benchmarks.search.many import documents, reach, scope, tables
from benchmarks.search.many.documents import CHUNK, Made, Numbering, Numbers
from benchmarks.search.many.tables import Database, Pattern
from benchmarks.search.synthetic import Halves
from collections_app import catalogue
from collections_app.models import Document, Revision

_PATTERN = "pattern"
_CHUNKS_AT_ONCE = 4
_DOCUMENTS_AT_ONCE = 40


def main(pages: int, url: str) -> None:
    """Make what is missing."""
    numbering = Numbering(pages)
    scope.scores_folder(pages).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(_processors()) as processes:
        processes.submit(os.getpid).result()  # starts the processes before there are connections to inherit
        with tables.connect(url) as database:
            caller = _owner()
            stored = _store_pages(database, processes, numbering, caller)
            if stored:
                tables.tidy(database, "ANALYZE")
            if _store_vectors(database, processes, numbering, reach.page_ids(caller, pages)) or stored:
                tables.tidy(database, "VACUUM")


def _processors() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _owner() -> Caller:
    known = CustomUser.objects.filter(email=scope.EMAIL).values_list("pk", flat=True).first()
    return Caller.of_owner(known, email=scope.EMAIL) if known else fill.owner(scope.EMAIL)


def _store_pages(database: Database, processes: ProcessPoolExecutor, numbering: Numbering, caller: Caller) -> bool:
    """Store the missing pages, without their vectors; return whether there were any."""
    pages, scores = numbering.pages, scope.scores_folder(numbering.pages)
    pattern, collections = _pattern(caller, pages)
    first = np.array([numbering.of_chunk(chunk)[0] for chunk in range(pages // CHUNK)])
    missing = np.flatnonzero(~np.isin(first, tables.stored(database, first))).tolist()
    for chunk, made in _each(processes, missing):
        numbers = numbering.of_chunk(chunk)
        np.save(scores / f"{chunk}.npy", made.scores)
        files = numbers[:: fill.PAGES_OF_A_FILE].tolist()
        of_files = {file: collections[scope.size_of(file, pages)] for file in files}
        tables.store(database, pattern, made, numbers, collections=of_files)
        _report(f"{chunk + 1} of {pages // CHUNK} chunks")
    return bool(missing)


def _pattern(caller: Caller, pages: int) -> tuple[Pattern, dict[int, int]]:
    """Return the rows to copy, and the collection of each size, which are created if needed."""
    with acting_for(caller.owner_id) as tx:
        collections = {
            size: catalogue.get_or_create_collection(tx, scope.name_of(size))[0].pk for size in scope.sizes(pages)
        }
        is_stored = Document.objects.filter(owner_id=tx.owner_id, collection__name=_PATTERN).exists()
    if not is_stored:
        fill.put(fill.Shelf(caller, _PATTERN), [tables.STUB] * fill.PAGES_OF_A_FILE)
    with acting_for(caller.owner_id) as tx:
        revision = Revision.objects.get(owner_id=tx.owner_id, document__collection__name=_PATTERN)
    if revision.space_id is None:
        raise SystemExit("The pattern has no vectors.")
    return Pattern(caller.owner_id, revision.space_id, revision.document_id, revision.pk), collections


def _each(processes: ProcessPoolExecutor, chunks: Sequence[int]) -> Iterator[tuple[int, Made]]:
    """Make the chunks, a few ahead of the one that is stored."""
    questions = synthetic.World().questions()
    for start in range(0, len(chunks), _CHUNKS_AT_ONCE):
        some = chunks[start : start + _CHUNKS_AT_ONCE]
        yield from zip(some, processes.map(partial(documents.make, questions=questions), some), strict=True)


def _store_vectors(database: Database, processes: ProcessPoolExecutor, numbering: Numbering, page_ids: Numbers) -> bool:
    """Store all vectors of the pages, where they are missing; return whether there were any."""
    missing = tables.without_vectors(database, page_ids)
    of, places = numbering.places(missing)
    each = [(int(document), missing[of == document], places[of == document].tolist()) for document in np.unique(of)]
    for start in range(0, len(each), _DOCUMENTS_AT_ONCE):
        some = each[start : start + _DOCUMENTS_AT_ONCE]
        found = processes.map(documents.vectors, [one[0] for one in some], [one[2] for one in some])
        pages: list[Halves] = [page for of_document in found for page in of_document]
        tables.store_vectors(database, np.concatenate([one[1] for one in some]), pages)
        _report(f"all vectors of the pages of {start + len(some)} of {len(each)} documents")
    return bool(each)


def _report(progress: str) -> None:
    sys.stderr.write(f"{progress} stored\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
