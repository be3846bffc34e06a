"""The compiled loops of pooling do what their Python code says."""

import numpy as np
import pytest

from collections_app.engine.retrieval.kernels import compiled_pooling, dispatch
from collections_app.engine.retrieval.pooling import pool
from collections_app.engine.retrieval.weights import merge
from tests.collections_app.engine.retrieval.kernels.simd_in_numpy import interpret
from tests.collections_app.engine.retrieval.test_pooling import clustered_page


@pytest.mark.parametrize("count", [40, 257])
def test_compiled_pooling_equals_its_python_code(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    page = clustered_page(6, count=count, dim=4)
    compiled = pool(page)
    interpret(monkeypatch, compiled_pooling)
    for name in ("label_clusters", "merge_clusters", "sum_by_label"):
        monkeypatch.setattr(dispatch, name, getattr(compiled_pooling, name))
    interpreted = pool(page)
    np.testing.assert_allclose(interpreted.fine, compiled.fine, atol=1e-3)
    np.testing.assert_allclose(interpreted.coarse, compiled.coarse, atol=1e-3)


def test_compiled_merging_equals_its_python_code(monkeypatch: pytest.MonkeyPatch) -> None:
    query = clustered_page(7, count=20, dim=4)
    weights = np.random.default_rng(7).uniform(0.5, 2, 20).astype(np.float32)
    compiled = merge(query, weights, limit=5)
    interpret(monkeypatch, compiled_pooling)
    monkeypatch.setattr(dispatch, "merge_vectors", compiled_pooling.merge_vectors)
    interpreted = merge(query, weights, limit=5)
    np.testing.assert_allclose(interpreted[0], compiled[0], atol=1e-5)
    np.testing.assert_allclose(interpreted[1], compiled[1], rtol=1e-5)
