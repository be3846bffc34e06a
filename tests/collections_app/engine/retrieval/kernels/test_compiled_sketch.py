"""The compiled scans do what their Python code says."""

import numpy as np
import pytest

from collections_app.engine.retrieval.kernels import compiled_sketch, dispatch
from collections_app.engine.retrieval.sketch_scan import encode_query, score_coarse, score_fine
from tests.collections_app.engine.retrieval.kernels.simd_in_numpy import interpret
from tests.collections_app.engine.retrieval.test_sketch_scan import load_sketches, random_pages, same


@pytest.mark.parametrize("dim", [20, 130, 300])
def test_compiled_scans_equal_their_python_code(monkeypatch: pytest.MonkeyPatch, dim: int) -> None:
    pages = random_pages(6, [3, 1], dim)
    query, rows = encode_query(random_pages(7, [2], dim)[0]), np.array([1, 0])
    sketches = load_sketches(pages, dim)
    compiled = [score_coarse(query, sketches.coarse, rows, dim=dim), score_fine(query, sketches.fine, rows)]
    interpret(monkeypatch, compiled_sketch)
    for name in ("arrange_words", "count_bits", "weigh_bits"):
        monkeypatch.setattr(dispatch, name, getattr(compiled_sketch, name))
    assert same(load_sketches(pages, dim), sketches)
    interpreted = [score_coarse(query, sketches.coarse, rows, dim=dim), score_fine(query, sketches.fine, rows)]
    np.testing.assert_allclose(interpreted, compiled, rtol=1e-6)
