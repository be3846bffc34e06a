"""The compiled loops of pooling do what their Python code says."""

import numpy as np
import pytest

from collections_app.engine.retrieval.kernels import compiled_pooling, dispatch
from collections_app.engine.retrieval.pooling import pool
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
