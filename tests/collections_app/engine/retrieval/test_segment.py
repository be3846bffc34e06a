"""What a segment says is there is what was put in, whatever came and went in between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_app.engine.retrieval import segment, sketch_scan
from collections_app.engine.retrieval.segment import NOTHING, Block, Contents, Numbers, Segment, Unsketched
from collections_app.engine.retrieval.sketch import small
from collections_app.engine.retrieval.sketch_scan import asked

DIM = 8
PAGES = [np.random.default_rng(number).normal(size=(1 + number % 5, DIM)).astype(np.float16) for number in range(40)]
QUERY = np.random.default_rng(99).normal(size=(3, DIM)).astype(np.float32)
NO_PAGES: Numbers = np.empty(0, dtype=np.int64)


def numbers(*values: int) -> Numbers:
    return np.array(values, dtype=np.int64)


def block(revision: int, page_ids: list[int]) -> Block:
    """Pages that look like those of the same number."""
    kept = [small(PAGES[page_id % len(PAGES)]).sketch for page_id in page_ids]
    sketched, _ = sketch_scan.load(b"".join(kept), numbers(*map(len, kept)), dim=DIM)
    return Block(numbers(*page_ids), np.full(len(page_ids), revision), sketched, np.arange(len(page_ids)))


def contents(shown: dict[int, list[int]]) -> Contents:
    """Of each revision the pages; its document has ten times its number."""
    revisions = sorted(shown)
    return Contents(
        numbers(*revisions),
        numbers(*(10 * revision for revision in revisions)),
        numbers(*(len(shown[revision]) for revision in revisions)),
    )


def renewed(old: Segment, shown: dict[int, list[int]], *, seq: int, lacking: frozenset[int] = frozenset()) -> Segment:
    """As the index does it; pages that lack a sketch are told apart."""
    now = contents(shown)
    new = [revision for revision in shown if revision not in old.known()]
    blocks = [block(revision, [one for one in shown[revision] if one not in lacking]) for revision in new]
    without = [(one, revision) for revision in new for one in shown[revision] if one in lacking]
    unsketched = Unsketched(numbers(*(one for one, _ in without)), numbers(*(revision for _, revision in without)))
    return old.renewed(seq, now, [one for one in blocks if len(one.page_ids)], unsketched)


def everything(made: Segment) -> list[int]:
    return sorted(made.within(None, but=NO_PAGES).page_ids().tolist())


def ranking(page_ids: list[int]) -> list[int]:
    rows = block(1, page_ids)
    scores = sketch_scan.finely(asked(QUERY), rows.sketched.fine, rows.rows)
    return [page_ids[place] for place in np.lexsort((np.array(page_ids), -scores))]


@given(
    st.lists(
        st.dictionaries(st.integers(1, 12), st.integers(0, 4), max_size=8),  # which revisions are shown, each so long
        min_size=1,
        max_size=8,
    ),
    st.frozensets(st.integers(100, 1300), max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_after_any_changes_it_equals_one_that_was_loaded_at_once(
    history: list[dict[int, int]], lacking: frozenset[int]
) -> None:
    made = NOTHING
    states = [{number: [100 * number + page for page in range(9)] for number in state} for state in history]
    for seq, shown in enumerate(states):
        made = renewed(made, shown, seq=seq, lacking=lacking)
    at_once = renewed(NOTHING, states[-1], seq=len(states), lacking=lacking)
    pages = [page for shown in states[-1].values() for page in shown]
    assert everything(made) == everything(at_once) == sorted(pages)
    assert set(made.unsketched.page_ids.tolist()) == lacking & set(pages)
    found = segment.best([made.within(None, but=NO_PAGES)], asked(QUERY), most=1000, glanced_at=1000)
    assert found.tolist() == ranking(sorted(set(pages) - lacking))
    assert len(made.blocks) <= 1 + np.log2(1 + len(pages))


def test_a_filter_is_a_mask_and_pages_are_left_out_by_number() -> None:
    made = renewed(NOTHING, {1: [100, 101], 2: [200], 3: [300, 301]}, seq=1, lacking=frozenset({101, 301}))
    part = made.within(numbers(10, 30, 999), but=numbers(300, 301, 5))
    assert (part.page_ids().tolist(), len(part), part.pages) == ([101, 100], 2, 2)
    assert made.within(numbers(), but=NO_PAGES).pages == 0
    assert everything(made) == [100, 101, 200, 300, 301]


def test_pages_without_vectors_count_among_the_pages() -> None:
    shown = contents({1: [100, 101, 102]})
    made = NOTHING.renewed(1, shown, [block(1, [100])], Unsketched(NO_PAGES, NO_PAGES))
    part = made.within(None, but=NO_PAGES)
    assert (part.pages, len(part)) == (3, 1)


def test_the_best_of_several_segments_are_ranked_together_and_ties_go_to_the_lowest_id() -> None:
    shown = {revision: [100 * revision + page for page in range(30)] for revision in range(1, 9)}
    one = renewed(NOTHING, {key: shown[key] for key in (1, 3, 5, 7)}, seq=1)
    other = renewed(NOTHING, {key: shown[key] for key in (2, 4, 6, 8)}, seq=1)
    parts = [made.within(None, but=NO_PAGES) for made in (one, other)]
    whole = ranking([page for pages in shown.values() for page in pages])
    assert segment.best(parts, asked(QUERY), most=50, glanced_at=1000).tolist() == whole[:50]
    glanced = segment.best(parts, asked(QUERY), most=50, glanced_at=60).tolist()
    assert len(glanced) == 50
    assert glanced == [page for page in whole if page in set(glanced)]
    assert segment.best([], asked(QUERY), most=5, glanced_at=5).tolist() == []


@pytest.mark.parametrize("each", [1, 2])
def test_each_document_has_so_many_candidates(each: int) -> None:
    shown = {revision: [100 * revision + page for page in range(6)] for revision in range(1, 5)}
    part = renewed(NOTHING, shown, seq=1).within(None, but=NO_PAGES)
    whole = segment.best([part], asked(QUERY), most=1000, glanced_at=1000).tolist()
    found = segment.best([part], asked(QUERY), most=1000, glanced_at=1000, of_each_document=each).tolist()
    expected = [
        page for place, page in enumerate(whole) if sum(one // 100 == page // 100 for one in whole[:place]) < each
    ]
    assert found == expected


def test_what_is_mostly_gone_takes_no_memory() -> None:
    shown = {revision: [100 * revision + page for page in range(40)] for revision in range(1, 11)}
    made = renewed(NOTHING, shown, seq=1)
    size = made.nbytes
    made = renewed(made, {1: shown[1]}, seq=2)
    assert made.nbytes < size / 5
    assert everything(made) == shown[1]
