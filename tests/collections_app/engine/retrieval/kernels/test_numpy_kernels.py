"""The NumPy kernels give the results of the compiled ones."""

import numpy as np
import pytest

from collections_app.engine.retrieval import maxsim, sketch
from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.kernels import dispatch, numpy_kernels
from collections_app.engine.retrieval.pooling import pool
from collections_app.engine.retrieval.sketch_scan import encode_query, score_coarse, score_fine
from collections_app.engine.retrieval.weights import merge
from tests.collections_app.engine.retrieval.test_pooling import clustered_page
from tests.collections_app.engine.retrieval.test_sketch_scan import load_sketches, random_pages, same


def use_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "BYTE_PRODUCTS", None)
    for name in set(dispatch.__all__) - {"BYTE_PRODUCTS", "USES_NUMPY", "sum_over_byte_pages", "sum_over_code_pages"}:
        monkeypatch.setattr(dispatch, name, getattr(numpy_kernels, name))


@pytest.mark.parametrize("count", [1, 5, 200])
@pytest.mark.parametrize("dim", [1, 20, 128])
def test_maxsim_scores_are_equal(monkeypatch: pytest.MonkeyPatch, count: int, dim: int) -> None:
    (query,), pages = random_pages(1, [count], dim), random_pages(2, [1, 2, 8, 33, 300], dim)
    weights = np.random.default_rng(3).normal(size=count).astype(np.float32)
    pooled = [sketch.decode_pooled(sketch.compact_forms(page).pooled, dim=dim) for page in pages]
    coded = [codec.encode(page) for page in pages]

    def scores() -> list[np.float32]:
        return [
            *maxsim.scores(query, pages),
            *maxsim.scores(query, pages, weights=weights),
            *maxsim.pooled_scores(query, pooled, weights=weights),
            *maxsim.code_scores(query, coded, weights=weights),
        ]

    compiled = scores()
    use_numpy(monkeypatch)
    np.testing.assert_allclose(scores(), compiled, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("dim", [1, 20, 64, 128, 130, 300])
def test_sketches_and_their_scores_are_equal(monkeypatch: pytest.MonkeyPatch, dim: int) -> None:
    pages = random_pages(4, [1, 7, 8, 40, 128, 300], dim)
    query, rows = encode_query(random_pages(5, [4], dim)[0]), np.array([5, 0, 3, 3])
    sketches, forms = load_sketches(pages, dim), [sketch.compact_forms(page) for page in pages]
    compiled = [score_coarse(query, sketches.coarse, rows, dim=dim), score_fine(query, sketches.fine, rows)]
    numbers = [sketch.decode_pooled(form.pooled, dim=dim).numbers for form in forms]
    use_numpy(monkeypatch)
    assert same(load_sketches(pages, dim), sketches)
    in_numpy = [score_coarse(query, sketches.coarse, rows, dim=dim), score_fine(query, sketches.fine, rows)]
    np.testing.assert_allclose(in_numpy, compiled, rtol=1e-5)
    for form, expected in zip(forms, numbers, strict=True):
        assert np.array_equal(sketch.decode_pooled(form.pooled, dim=dim).numbers, expected)


@pytest.mark.parametrize("count", [33, 100, 256, 257, 1030])
def test_pooled_vectors_are_equal(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    page = clustered_page(6, count=count)
    compiled = pool(page)
    use_numpy(monkeypatch)
    in_numpy = pool(page)
    np.testing.assert_allclose(in_numpy.fine, compiled.fine, atol=1e-3)
    np.testing.assert_allclose(in_numpy.coarse, compiled.coarse, atol=1e-3)
    assert np.array_equal(in_numpy.weights, compiled.weights)


@pytest.mark.parametrize("count", [9, 24, 128])
def test_merged_queries_are_equal(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    query = clustered_page(7, count=count)
    weights = np.random.default_rng(7).uniform(0.5, 2, count).astype(np.float32)
    compiled = merge(query, weights, limit=8)
    use_numpy(monkeypatch)
    in_numpy = merge(query, weights, limit=8)
    np.testing.assert_allclose(in_numpy[0], compiled[0], atol=1e-3)
    np.testing.assert_allclose(in_numpy[1], compiled[1], rtol=1e-5)


def test_equal_vectors_can_be_pooled(monkeypatch: pytest.MonkeyPatch) -> None:
    use_numpy(monkeypatch)
    page = np.repeat(clustered_page(4, count=1), 600, axis=0)
    pooled = pool(page)
    np.testing.assert_allclose(pooled.fine, np.repeat(page[:1], len(pooled.fine), axis=0), atol=1e-3)
