"""A segment has exactly the pages that a collection shows, whatever changed in between."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_app.engine.retrieval import candidates, sketch_scan
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.segment import EMPTY, Block, RevisionTable, Segment, Unsketched
from collections_app.engine.retrieval.sketch import compact_forms
from collections_app.engine.retrieval.sketch_scan import encode_query

DIM = 8
PAGES = [np.random.default_rng(number).normal(size=(1 + number % 5, DIM)).astype(np.float16) for number in range(40)]
QUERY = encode_query(np.random.default_rng(99).normal(size=(3, DIM)).astype(np.float32))
NO_PAGES: Numbers = np.empty(0, dtype=np.int64)


def numbers(*values: int) -> Numbers:
    return np.array(values, dtype=np.int64)


def block(revision_id: int, page_ids: list[int]) -> Block:
    """Return a block whose sketches depend only on the page ids."""
    stored = [compact_forms(PAGES[page_id % len(PAGES)]).sketch for page_id in page_ids]
    sketches, _ = sketch_scan.load(b"".join(stored), numbers(*map(len, stored)), dim=DIM)
    return Block(numbers(*page_ids), np.full(len(page_ids), revision_id), sketches, np.arange(len(page_ids)))


def table(shown: dict[int, list[int]]) -> RevisionTable:
    """Return the table of these pages by revision; a document's id is ten times that of its revision."""
    revision_ids = sorted(shown)
    return RevisionTable(
        numbers(*revision_ids),
        numbers(*(10 * revision_id for revision_id in revision_ids)),
        numbers(*(len(shown[revision_id]) for revision_id in revision_ids)),
        numbers(*(1000 + revision_id for revision_id in revision_ids)),
    )


def update(old: Segment, shown: dict[int, list[int]], *, seq: int, unsketched: frozenset[int] = frozenset()) -> Segment:
    """Update the segment as the index does."""
    new = [revision_id for revision_id in shown if revision_id not in old.loaded_revisions()]
    blocks = [
        block(revision_id, [page for page in shown[revision_id] if page not in unsketched]) for revision_id in new
    ]
    without = [(page, revision_id) for revision_id in new for page in shown[revision_id] if page in unsketched]
    rest = Unsketched(numbers(*(page for page, _ in without)), numbers(*(revision for _, revision in without)))
    return old.updated(seq, table(shown), blocks, rest)


def all_pages(built: Segment) -> list[int]:
    return sorted(built.part(None, excluded_page_ids=NO_PAGES).page_ids().tolist())


def ranking(page_ids: list[int]) -> list[int]:
    pages = block(1, page_ids)
    scores = sketch_scan.score_fine(QUERY, pages.sketches.fine, pages.rows)
    return [page_ids[index] for index in np.lexsort((np.array(page_ids), -scores))]


@given(
    st.lists(
        st.dictionaries(st.integers(1, 12), st.integers(0, 4), max_size=8),  # page counts of the shown revisions
        min_size=1,
        max_size=8,
    ),
    st.frozensets(st.integers(100, 1300), max_size=30),
)
@settings(max_examples=60)
def test_updated_segment_equals_one_loaded_at_once(history: list[dict[int, int]], unsketched: frozenset[int]) -> None:
    built = EMPTY
    states = [{number: [100 * number + page for page in range(9)] for number in state} for state in history]
    for seq, shown in enumerate(states):
        built = update(built, shown, seq=seq, unsketched=unsketched)
    at_once = update(EMPTY, states[-1], seq=len(states), unsketched=unsketched)
    pages = [page for shown in states[-1].values() for page in shown]
    assert all_pages(built) == all_pages(at_once) == sorted(pages)
    assert set(built.unsketched.page_ids.tolist()) == unsketched & set(pages)
    part = built.part(None, excluded_page_ids=NO_PAGES)
    ranked = candidates.best([part], QUERY, limit=1000, coarse_candidates=1000)
    assert ranked.tolist() == ranking(sorted(set(pages) - unsketched))
    assert len(built.blocks) <= 1 + np.log2(1 + len(pages))


def test_part_is_limited_to_documents_and_excludes_pages() -> None:
    built = update(EMPTY, {1: [100, 101], 2: [200], 3: [300, 301]}, seq=1, unsketched=frozenset({101, 301}))
    part = built.part(numbers(10, 30, 999), excluded_page_ids=numbers(300, 301, 5))
    assert (part.page_ids().tolist(), len(part), part.pages) == ([101, 100], 2, 2)
    assert built.part(numbers(), excluded_page_ids=NO_PAGES).pages == 0
    assert all_pages(built) == [100, 101, 200, 300, 301]


def test_pages_without_vectors_are_counted() -> None:
    shown = table({1: [100, 101, 102]})
    built = EMPTY.updated(1, shown, [block(1, [100])], Unsketched(NO_PAGES, NO_PAGES))
    part = built.part(None, excluded_page_ids=NO_PAGES)
    assert (part.pages, len(part)) == (3, 1)


def test_mostly_hidden_block_releases_its_memory() -> None:
    shown = {revision: [100 * revision + page for page in range(40)] for revision in range(1, 11)}
    built = update(EMPTY, shown, seq=1)
    size = built.nbytes
    built = update(built, {1: shown[1]}, seq=2)
    assert built.nbytes < size / 5
    assert all_pages(built) == shown[1]
