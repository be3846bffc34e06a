"""MaxSim equals the obvious double loop, and a page's score does not depend on what it is scored with."""

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.maxsim import code_scores, pooled_scores, scores
from collections_app.engine.retrieval.parallel import HelperPool
from collections_app.engine.retrieval.sketch import PooledPage, compact_forms, decode_pooled

Halves = NDArray[np.float16]
halves = st.floats(-1, 1, width=16)


def _multi_vectors(dim: int, max_count: int = 12) -> st.SearchStrategy[Halves]:
    return arrays.arrays(np.float16, st.tuples(st.integers(1, max_count), st.just(dim)), elements=halves)


@st.composite
def queries_with_pages(draw: st.DrawFn) -> tuple[Halves, list[Halves]]:
    dim = draw(st.integers(1, 20))
    return draw(_multi_vectors(dim)), draw(st.lists(_multi_vectors(dim), min_size=1, max_size=6))


def in_levels(query: NDArray[Any]) -> NDArray[np.float32]:
    """Return the query as pooled vectors are compared with it: in 64 steps to each side, by vector."""
    floats = query.astype(np.float32)
    steps = np.abs(floats).max(axis=1, keepdims=True) / 64
    return np.asarray(np.rint(floats / np.where(steps > 0, steps, 1)) * steps, dtype=np.float32)


def naive(query: NDArray[Any], page: Halves | NDArray[np.int8]) -> float:
    """Return the sum of the best dot products, computed the slow and obvious way."""
    return sum(max(sum(float(a) * float(b) for a, b in zip(q, p, strict=True)) for p in page) for q in query)


def random_pages(seed: int, *, sizes: list[int], dim: int = 128) -> list[Halves]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(size, dim)).astype(np.float16) / np.float16(dim**0.5) for size in sizes]


@given(queries_with_pages())
def test_scores_equal_the_double_loop(drawn: tuple[Halves, list[Halves]]) -> None:
    query, pages = drawn
    result = scores(query, pages)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [naive(query, page) for page in pages], rtol=1e-5, atol=1e-5)


@given(queries_with_pages(), st.randoms(use_true_random=False))
def test_weighted_pooled_scores_equal_the_double_loop(drawn: tuple[Halves, list[Halves]], random: Random) -> None:
    query, pages = drawn
    weights = np.array([random.uniform(-2, 2) for _ in query], dtype=np.float32)
    pooled = [PooledPage(0.25, (page * 127).astype(np.int8)) for page in pages]
    best = [[naive(vector[None], page.numbers) for vector in in_levels(query)] for page in pooled]
    expected = [0.25 * sum(w * b for w, b in zip(weights.tolist(), of_page, strict=True)) for of_page in best]
    np.testing.assert_allclose(pooled_scores(query, pooled, weights=weights), expected, rtol=1e-4, atol=1e-3)


@given(queries_with_pages(), st.randoms(use_true_random=False))
def test_order_of_vectors_does_not_matter(drawn: tuple[Halves, list[Halves]], random: Random) -> None:
    query, pages = drawn
    shuffled = [page[random.sample(range(len(page)), len(page))] for page in pages]
    np.testing.assert_allclose(scores(query[::-1], shuffled), scores(query, pages), rtol=1e-5, atol=1e-5)


@given(queries_with_pages())
def test_additional_vector_never_lowers_a_score(drawn: tuple[Halves, list[Halves]]) -> None:
    query, pages = drawn
    longer = [np.concatenate([page, pages[0][:1]]) for page in pages]
    assert (scores(query, longer) >= scores(query, pages) - 1e-5).all()


@pytest.mark.parametrize("count", [1, 2, 7, 24, 33])
def test_score_is_identical_whatever_a_page_is_scored_with(count: int) -> None:
    (query,) = random_pages(1, sizes=[count])
    pages = random_pages(2, sizes=[1, 3, 17, 179, 2047, 2048, 2049, 5000, 2])
    alone = [float(scores(query, [page])[0]) for page in pages]
    assert scores(query, pages).tolist() == alone
    assert scores(query, pages[::-1]).tolist() == alone[::-1]


@pytest.mark.parametrize("weights", [None, np.array([1, -0.5, 2, 0.1, -3], dtype=np.float32)])
def test_helper_threads_change_no_score(monkeypatch: pytest.MonkeyPatch, weights: NDArray[np.float32] | None) -> None:
    (query,) = random_pages(1, sizes=[5])
    pages = random_pages(2, sizes=[1, 700, 33, 1500, 64, 8] * 20)
    pooled = [decode_pooled(compact_forms(page).pooled, dim=128) for page in pages[:60]]
    alone = [float(scores(query, [page], weights=weights)[0]) for page in pages]
    pooled_alone = [float(pooled_scores(query, [page], weights=weights)[0]) for page in pooled]
    monkeypatch.setattr("collections_app.engine.retrieval.parallel._helpers", HelperPool(3))
    for _ in range(5):
        assert scores(query, pages, weights=weights).tolist() == alone
        assert pooled_scores(query, pooled, weights=weights).tolist() == pooled_alone


@pytest.mark.parametrize("count", [3, 200])
def test_view_of_a_larger_array_scores_like_its_copy(count: int) -> None:
    (query,) = random_pages(1, sizes=[count], dim=20)
    (larger,) = random_pages(2, sizes=[90], dim=40)
    views = [larger[::2, :20], larger[5:, 20:], larger[:, ::2], larger[::-1, :20], larger[:1, 3:23], larger.T[:20].T]
    copies = [np.array(view, order="C") for view in views]
    assert scores(query, views).tolist() == scores(query, copies).tolist()
    steps = [PooledPage(0.5, (copy * 99).astype(np.int8)) for copy in copies]
    larger_steps = (larger * np.float16(99)).astype(np.int8)
    of_larger = [PooledPage(0.5, larger_steps[::2, :20]), PooledPage(0.5, larger_steps[5:, 20:])]
    assert pooled_scores(query, of_larger).tolist() == pooled_scores(query, steps[:2]).tolist()


def test_query_as_long_as_many_pages_is_scored_in_smaller_blocks() -> None:
    (query,) = random_pages(1, sizes=[5000], dim=4)
    pages = random_pages(2, sizes=[1, 3000], dim=4)
    expected = [(query.astype(np.float64) @ page.astype(np.float64).T).max(axis=1).sum() for page in pages]
    np.testing.assert_allclose(scores(query, pages), expected, rtol=1e-4)


def test_page_of_negative_similarities_has_a_negative_score() -> None:
    query = np.ones((3, 8), dtype=np.float16)
    pages = [np.full((count, 8), -0.5, dtype=np.float16) for count in (1, 5, 3000)]
    assert scores(query, pages).tolist() == [-12.0, -12.0, -12.0]


def test_every_finite_float16_is_decoded_exactly() -> None:
    bits = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = bits[np.isfinite(bits)]
    each = list(finite.reshape(-1, 1, 1))
    assert np.array_equal(scores(np.ones((1, 1), dtype=np.float16), each), finite.astype(np.float32))


def test_query_of_other_dimensions_or_without_vectors_is_rejected() -> None:
    pages = [np.ones((2, 4), dtype=np.float16)]
    for query in (np.ones((1, 3), dtype=np.float16), np.ones((0, 4), dtype=np.float16)):
        with pytest.raises(ValueError, match="dimensions"):
            scores(query, pages)


def test_wrong_type_or_number_of_weights_is_rejected() -> None:
    query, page = np.ones((2, 4), dtype=np.float16), np.ones((2, 4), dtype=np.float16)
    with pytest.raises(ValueError, match="a page of int8"):
        scores(query, [page, page.astype(np.int8)])
    with pytest.raises(ValueError, match="weights of shape"):
        scores(query, [page], weights=np.ones(1, dtype=np.float32))


def test_page_without_vectors_is_rejected() -> None:
    pages = [np.ones((2, 4), dtype=np.float16), np.ones((0, 4), dtype=np.float16)]
    with pytest.raises(ValueError, match="without vectors"):
        scores(np.ones((1, 4), dtype=np.float16), pages)


@pytest.mark.parametrize("weights", [None, np.array([1, -0.5, 2], dtype=np.float32)])
def test_pooled_vectors_score_as_their_numbers_times_the_step(weights: NDArray[np.float32] | None) -> None:
    (query,) = random_pages(1, sizes=[3])
    stored = [compact_forms(page).pooled for page in random_pages(2, sizes=[1, 7, 40, 128, 300] * 8)]
    pages = [decode_pooled(data, dim=128) for data in stored]
    expected = [
        (np.ones(3) if weights is None else weights) @ (in_levels(query) @ (page.numbers * page.step).T).max(axis=1)
        for page in pages
    ]
    np.testing.assert_allclose(pooled_scores(query, pages, weights=weights), expected, rtol=1e-3, atol=1e-3)
    assert len(pooled_scores(query, [])) == 0


@pytest.mark.parametrize("weights", [None, np.array([1, -0.5, 2, 0, -3], dtype=np.float32)])
@pytest.mark.parametrize("dim", [20, 128])
def test_scores_of_small_integers_are_equal_by_each_instruction(
    monkeypatch: pytest.MonkeyPatch, dim: int, weights: NDArray[np.float32] | None
) -> None:
    """With None, numbers are multiplied as floats."""
    (query,) = random_pages(1, sizes=[5], dim=dim)
    stored = [compact_forms(page).pooled for page in random_pages(2, sizes=[1, 7, 40, 128, 300], dim=dim)]
    pages = [decode_pooled(data, dim=dim) for data in stored]
    coded = [codec.encode(page) for page in random_pages(2, sizes=[1, 7, 40, 128, 300], dim=dim)]
    results = []
    available = (
        (None,) if dispatch.BYTE_PRODUCTS is None else dict.fromkeys((dispatch.BYTE_PRODUCTS, "vpmaddubsw", None))
    )
    for instruction in available:
        monkeypatch.setattr(dispatch, "BYTE_PRODUCTS", instruction)
        pooled = pooled_scores(query, pages, weights=weights).tolist()
        results.append((pooled, code_scores(query, coded, weights=weights).tolist()))
    assert all(result == results[0] for result in results)


def test_levels_of_a_query_change_pooled_scores_little() -> None:
    (query,) = random_pages(1, sizes=[24])
    pages = [decode_pooled(compact_forms(page).pooled, dim=128) for page in random_pages(2, sizes=[300] * 20)]
    expected = [(query @ (page.numbers * page.step).T).max(axis=1).sum() for page in pages]
    np.testing.assert_allclose(pooled_scores(query, pages), expected, rtol=1e-2)


def test_zero_query_scores_zero_on_pooled_vectors() -> None:
    page = decode_pooled(compact_forms(random_pages(2, sizes=[40])[0]).pooled, dim=128)
    assert pooled_scores(np.zeros((2, 128), dtype=np.float16), [page]).tolist() == [0]


@pytest.mark.parametrize("weights", [None, np.array([1, -0.5, 2], dtype=np.float32)])
def test_codes_score_as_the_vectors_that_they_stand_for(weights: NDArray[np.float32] | None) -> None:
    (query,) = random_pages(1, sizes=[3])
    pages = [codec.encode(page) for page in random_pages(2, sizes=[1, 16, 40, 300])]
    expected = scores(query, [codec.decode(page) for page in pages], weights=weights)
    np.testing.assert_allclose(code_scores(query, pages, weights=weights), expected, rtol=2e-2)
    assert len(code_scores(query, [])) == 0
    assert code_scores(np.zeros((2, 128), dtype=np.float16), pages[:1]).tolist() == [0]


def test_codes_of_other_dimensions_are_rejected() -> None:
    page = codec.encode(np.ones((2, 4), dtype=np.float16))
    for query in (np.ones((1, 5), dtype=np.float16), np.ones((0, 4), dtype=np.float16)):
        with pytest.raises(ValueError, match="other dimensions"):
            code_scores(query, [page])
