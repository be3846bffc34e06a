"""Compiled MaxSim over codes as floats gives the sums of the byte instructions."""

import numpy as np
import pytest

from collections_app.engine.retrieval.kernels import compiled_float_codes
from tests.collections_app.engine.retrieval.kernels.simd_in_numpy import interpret
from tests.collections_app.engine.retrieval.kernels.test_compiled_codes import page_of_codes, positions, slow


@pytest.mark.parametrize("compiled", [True, False])
def test_sums_are_exact(monkeypatch: pytest.MonkeyPatch, *, compiled: bool) -> None:
    if not compiled:
        interpret(monkeypatch, compiled_float_codes)
    rng = np.random.default_rng(1)
    for dim, count in [(8, 1), (24, 9)]:
        query, gains = rng.integers(-127, 128, (count, dim)).astype(np.int8), rng.normal(size=count).astype(np.float32)
        codes = [rng.integers(0, 16, (size, dim)).astype(np.uint8) for size in (1, 16, 17)]
        steps = [rng.uniform(0.1, 2, len(page)).astype(np.float16) for page in codes]
        pages = list(map(page_of_codes, codes, steps))
        offsets, counter = 15 * query.sum(axis=1, dtype=np.float32), np.zeros(1, dtype=np.int64)
        sums = np.empty(len(pages), dtype=np.float32)
        compiled_float_codes.sum_over_float_code_pages(
            query.astype(np.float32), *positions(pages), offsets, gains, counter, sums
        )
        expected = [gains @ slow(query, *page) for page in zip(codes, steps, strict=True)]
        np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-2)
