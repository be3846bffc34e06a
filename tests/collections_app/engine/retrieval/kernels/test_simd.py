"""SIMD operations give the same results on any processor."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.maxsim import pooled_scores
from collections_app.engine.retrieval.sketch import compact_forms, decode_pooled
from paliapi.env import ROOT
from tests.environment import measured

NARROW = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma,+f16c,+bmi,+bmi2,+popcnt,+sse4.2,+ssse3"}


@pytest.mark.skipif(dispatch.BYTE_PRODUCTS is None, reason="this processor does not multiply bytes")
@pytest.mark.parametrize(("changes", "instruction"), [(NARROW, "vpmaddubsw"), ({"NUMBA_CPU_NAME": "generic"}, "None")])
def test_pooled_scores_are_equal_on_older_processors(tmp_path: Path, changes: dict[str, str], instruction: str) -> None:
    code = (
        "import numpy as np; from collections_app.engine.retrieval import maxsim, sketch\n"
        "from collections_app.engine.retrieval.kernels import dispatch, simd\n"
        "rng = np.random.default_rng(1); pages = [rng.normal(size=(n, 70)).astype(np.float16) for n in (1, 21, 130)]\n"
        "pooled = [sketch.decode_pooled(sketch.compact_forms(page).pooled, dim=70) for page in pages]\n"
        "print(dispatch.BYTE_PRODUCTS, *maxsim.pooled_scores(pages[1][:9], pooled))"
    )
    env = {**measured(), **changes, "NUMBA_CACHE_DIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    used, *numbers = result.stdout.split()
    rng = np.random.default_rng(1)
    pages = [rng.normal(size=(n, 70)).astype(np.float16) for n in (1, 21, 130)]
    pooled = [decode_pooled(compact_forms(page).pooled, dim=70) for page in pages]
    assert used == instruction
    np.testing.assert_allclose([float(number) for number in numbers], pooled_scores(pages[1][:9], pooled), rtol=1e-3)


def test_results_are_equal_on_a_processor_with_narrow_registers(tmp_path: Path) -> None:
    """Compiles for the baseline that every processor of this kind supports."""
    code = (
        "import numpy as np; from collections_app.engine.retrieval import sketch, sketch_scan\n"
        "from collections_app.engine.retrieval.kernels import compiled_maxsim, simd\n"
        "rng = np.random.default_rng(1); best = np.empty(5, dtype=np.float32); rows = np.arange(1)\n"
        "query, page = rng.normal(size=(5, 37)).astype(np.float32), rng.normal(size=(21, 37)).astype(np.float16)\n"
        "compiled_maxsim.best_products(query, page.view(np.int16), best)\n"
        "data = sketch.compact_forms(page).sketch; loaded, _ = sketch_scan.load(data, np.array([len(data)]), dim=37)\n"
        "scores = sketch_scan.score_coarse(sketch_scan.encode_query(query), loaded.coarse, rows, dim=37)\n"
        "print(simd.FLOATS_AT_ONCE, *best, *scores)"
    )
    env = {**measured(), "NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    floats_at_once, *numbers = map(float, result.stdout.split())
    rng = np.random.default_rng(1)
    query, page = rng.normal(size=(5, 37)).astype(np.float32), rng.normal(size=(21, 37)).astype(np.float16)
    data = compact_forms(page).sketch
    loaded, _ = sketch_scan.load(data, np.array([len(data)]), dim=37)
    scores = sketch_scan.score_coarse(sketch_scan.encode_query(query), loaded.coarse, np.arange(1), dim=37)
    assert floats_at_once == 8
    np.testing.assert_allclose(numbers[:5], (query @ page.astype(np.float32).T).max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(np.array(numbers[5:]), scores)
