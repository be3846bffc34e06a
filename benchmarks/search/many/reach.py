"""Which pages a search may score: those that pooled vectors rank highest among the best by sketches."""

from collections.abc import Iterator

import numpy as np

from accounts.access import Caller
from accounts.ownership import acting_for
from benchmarks.search import synthetic
from benchmarks.search.corpus import BEST
from benchmarks.search.many import scope
from benchmarks.search.many.documents import Numbers
from benchmarks.search.query_service import SPACE
from benchmarks.search.synthetic import DIM, Floats
from collections_app.engine.retrieval import candidates, maxsim
from collections_app.engine.retrieval.plan import PLAN, Steps
from collections_app.engine.retrieval.segment import SegmentPart
from collections_app.search import scope as search_scope
from collections_app.search.index import process_index
from collections_app.search.scope import Scope
from collections_app.storage import vectors

# A search stops at `max_exact` pages; so many more keep their vectors, in case that pages before them tie.
_SPARE = 32


def page_ids(caller: Caller, pages: int) -> Numbers:
    """Return the ids of the pages that a search for any query may score, among all pages or a leading subset."""
    questions = synthetic.World().questions()
    reached = (_reached(caller, questions, size) for size in scope.sizes(pages))
    return np.unique(np.concatenate([ids for of_size in reached for ids in of_size]))


def _reached(caller: Caller, questions: list[Floats], size: int) -> Iterator[Numbers]:
    parts = _parts(caller, size)
    steps = PLAN.steps(size, hits=BEST)
    if steps is None:
        raise SystemExit("So few pages are all scored exactly.")
    for question in questions:
        yield _best_candidates(caller, parts, question, steps)


def _parts(caller: Caller, size: int) -> list[SegmentPart]:
    with acting_for(caller.owner_id) as tx:
        where = Scope(collections=scope.collections(size))
        space_id, versions = search_scope.collection_versions(tx, caller, where, SPACE)
        if space_id is None:
            raise SystemExit("There are no pages.")
        segments = process_index.segments(tx, versions, space_id=space_id, dim=DIM)
    nothing = np.empty(0, dtype=np.int64)
    return [segment.part(None, excluded_page_ids=nothing) for segment in segments]


def _best_candidates(caller: Caller, parts: list[SegmentPart], question: Floats, steps: Steps) -> Numbers:
    selected = candidates.select(parts, question, None, steps)
    with acting_for(caller.owner_id) as tx:
        pooled = vectors.read_pooled(tx, selected.tolist(), dim=DIM)
    order = np.argsort(-maxsim.pooled_scores(question, list(pooled.values())), kind="stable")
    return np.array(list(pooled), dtype=np.int64)[order[: steps.max_exact + _SPARE]]
