"""The quick MaxSim equals the obvious one, and every page has its score whatever it is scored with."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from collections_app.engine.retrieval.maxsim import pooled_scores, scores
from collections_app.engine.retrieval.parallel import Helpers
from collections_app.engine.retrieval.sketch import PooledPage, pooled_page, small

Halves = NDArray[np.float16]
halves = st.floats(-1, 1, width=16)


def _multi_vectors(dim: int, most: int = 12) -> st.SearchStrategy[Halves]:
    return arrays.arrays(np.float16, st.tuples(st.integers(1, most), st.just(dim)), elements=halves)


@st.composite
def asked(draw: st.DrawFn) -> tuple[Halves, list[Halves]]:
    """A query and some pages."""
    dim = draw(st.integers(1, 20))
    return draw(_multi_vectors(dim)), draw(st.lists(_multi_vectors(dim), min_size=1, max_size=6))


def naive(query: Halves, page: Halves | NDArray[np.int8]) -> float:
    """The sum of the best dot products, written the slow and obvious way."""
    return sum(max(sum(float(a) * float(b) for a, b in zip(q, p, strict=True)) for p in page) for q in query)


def random_pages(seed: int, *, sizes: list[int], dim: int = 128) -> list[Halves]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(size, dim)).astype(np.float16) / np.float16(dim**0.5) for size in sizes]


@given(asked())
def test_it_equals_the_double_loop(given_: tuple[Halves, list[Halves]]) -> None:
    query, pages = given_
    found = scores(query, pages)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [naive(query, page) for page in pages], rtol=1e-5, atol=1e-5)


@given(asked(), st.randoms(use_true_random=False))
def test_pooled_vectors_with_weights_equal_the_double_loop(given_: tuple[Halves, list[Halves]], chance: Random) -> None:
    query, pages = given_
    weights = np.array([chance.uniform(-2, 2) for _ in query], dtype=np.float32)
    pooled = [PooledPage(0.25, (page * 127).astype(np.int8)) for page in pages]
    best = [[naive(vector[None], page.numbers) for vector in query] for page in pooled]
    expected = [0.25 * sum(w * b for w, b in zip(weights.tolist(), of_page, strict=True)) for of_page in best]
    np.testing.assert_allclose(pooled_scores(query, pooled, weights=weights), expected, rtol=1e-4, atol=1e-3)


@given(asked(), st.randoms(use_true_random=False))
def test_the_order_of_vectors_does_not_matter(given_: tuple[Halves, list[Halves]], chance: Random) -> None:
    query, pages = given_
    shuffled = [page[chance.sample(range(len(page)), len(page))] for page in pages]
    np.testing.assert_allclose(scores(query[::-1], shuffled), scores(query, pages), rtol=1e-5, atol=1e-5)


@given(asked())
def test_one_vector_more_never_lowers_a_score(given_: tuple[Halves, list[Halves]]) -> None:
    query, pages = given_
    longer = [np.concatenate([page, pages[0][:1]]) for page in pages]
    assert (scores(query, longer) >= scores(query, pages) - 1e-5).all()


@pytest.mark.parametrize("count", [1, 2, 7, 24, 33])
def test_a_page_has_the_same_score_to_the_last_bit_whatever_it_is_scored_with(count: int) -> None:
    (query,) = random_pages(1, sizes=[count])
    pages = random_pages(2, sizes=[1, 3, 17, 179, 2047, 2048, 2049, 5000, 2])
    alone = [float(scores(query, [page])[0]) for page in pages]
    assert scores(query, pages).tolist() == alone
    assert scores(query, pages[::-1]).tolist() == alone[::-1]


@pytest.mark.parametrize("weights", [None, np.array([1, -0.5, 2, 0.1, -3], dtype=np.float32)])
def test_helpers_change_nothing(monkeypatch: pytest.MonkeyPatch, weights: NDArray[np.float32] | None) -> None:
    (query,) = random_pages(1, sizes=[5])
    pages = random_pages(2, sizes=[1, 700, 33, 1500, 64, 8] * 20)
    pooled = [pooled_page(small(page).pooled, dim=128) for page in pages[:60]]
    alone = [float(scores(query, [page], weights=weights)[0]) for page in pages]
    pooled_alone = [float(pooled_scores(query, [page], weights=weights)[0]) for page in pooled]
    monkeypatch.setattr("collections_app.engine.retrieval.parallel._helpers", Helpers(3))
    for _ in range(5):
        assert scores(query, pages, weights=weights).tolist() == alone
        assert pooled_scores(query, pooled, weights=weights).tolist() == pooled_alone


@pytest.mark.parametrize("count", [3, 200])
def test_a_page_that_is_a_part_of_another_array_is_scored_as_its_copy(count: int) -> None:
    (query,) = random_pages(1, sizes=[count], dim=20)
    (larger,) = random_pages(2, sizes=[90], dim=40)
    parts = [larger[::2, :20], larger[5:, 20:], larger[:, ::2], larger[::-1, :20], larger[:1, 3:23], larger.T[:20].T]
    copies = [np.array(part, order="C") for part in parts]
    assert scores(query, parts).tolist() == scores(query, copies).tolist()
    steps = [PooledPage(0.5, (part * 99).astype(np.int8)) for part in copies]
    larger_steps = (larger * np.float16(99)).astype(np.int8)
    of_larger = [PooledPage(0.5, larger_steps[::2, :20]), PooledPage(0.5, larger_steps[5:, 20:])]
    assert pooled_scores(query, of_larger).tolist() == pooled_scores(query, steps[:2]).tolist()


def test_a_query_as_long_as_many_pages_is_scored_in_smaller_blocks() -> None:
    (query,) = random_pages(1, sizes=[5000], dim=4)
    pages = random_pages(2, sizes=[1, 3000], dim=4)
    expected = [(query.astype(np.float64) @ page.astype(np.float64).T).max(axis=1).sum() for page in pages]
    np.testing.assert_allclose(scores(query, pages), expected, rtol=1e-4)


def test_what_is_all_negative_stays_negative() -> None:
    query = np.ones((3, 8), dtype=np.float16)
    pages = [np.full((count, 8), -0.5, dtype=np.float16) for count in (1, 5, 3000)]
    assert scores(query, pages).tolist() == [-12.0, -12.0, -12.0]


def test_every_finite_half_is_read_as_it_is() -> None:
    bits = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = bits[np.isfinite(bits)]
    each = list(finite.reshape(-1, 1, 1))
    assert np.array_equal(scores(np.ones((1, 1), dtype=np.float16), each), finite.astype(np.float32))


def test_a_query_of_other_dimensions_or_of_nothing_is_refused() -> None:
    pages = [np.ones((2, 4), dtype=np.float16)]
    for query in (np.ones((1, 3), dtype=np.float16), np.ones((0, 4), dtype=np.float16)):
        with pytest.raises(ValueError, match="dimensions"):
            scores(query, pages)


def test_what_would_be_read_as_something_else_is_refused() -> None:
    query, page = np.ones((2, 4), dtype=np.float16), np.ones((2, 4), dtype=np.float16)
    with pytest.raises(ValueError, match="a page of int8"):
        scores(query, [page, page.astype(np.int8)])
    with pytest.raises(ValueError, match="weights of shape"):
        scores(query, [page], weights=np.ones(1, dtype=np.float32))


def test_a_page_without_vectors_is_refused_and_not_scored_as_nothing() -> None:
    pages = [np.ones((2, 4), dtype=np.float16), np.ones((0, 4), dtype=np.float16)]
    with pytest.raises(ValueError, match="without vectors"):
        scores(np.ones((1, 4), dtype=np.float16), pages)


@pytest.mark.parametrize("weights", [None, np.array([1, -0.5, 2], dtype=np.float32)])
def test_pooled_vectors_score_as_the_numbers_that_they_are(weights: NDArray[np.float32] | None) -> None:
    (query,) = random_pages(1, sizes=[3])
    kept = [small(page).pooled for page in random_pages(2, sizes=[1, 7, 40, 128, 300] * 8)]
    pages = [pooled_page(one, dim=128) for one in kept]
    expected = [
        (np.ones(3) if weights is None else weights) @ (query @ (page.numbers * page.step).T).max(axis=1)
        for page in pages
    ]
    np.testing.assert_allclose(pooled_scores(query, pages, weights=weights), expected, rtol=1e-3, atol=1e-3)
    assert len(pooled_scores(query, [])) == 0
