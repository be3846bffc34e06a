"""One switch selects the kernels of a process."""

import subprocess
import sys

import pytest

from collections_app.engine.retrieval import maxsim
from collections_app.engine.retrieval.kernels import dispatch
from paliapi.env import ROOT
from tests.collections_app.engine.retrieval.test_sketch_scan import random_pages
from tests.environment import measured

WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\n"
SCORES = """
import sys
import numpy as np
from collections_app.engine.retrieval import maxsim, sketch
from collections_app.engine.retrieval.kernels import dispatch
rng = np.random.default_rng(1)
page = rng.normal(size=(300, 37)).astype(np.float16)
forms = sketch.compact_forms(page)
print(dispatch.USES_NUMPY, any('compiled' in name for name in sys.modules if 'retrieval.kernels' in name))
print(*maxsim.scores(page[:5], [page]))
"""


@pytest.mark.parametrize(
    ("prefix", "environ"), [("", {"NUMBA_DISABLE_JIT": "1"}), (WITHOUT_NUMBA, {})], ids=["switched off", "absent"]
)
def test_numpy_kernels_are_used_if_numba_is_switched_off_or_absent(prefix: str, environ: dict[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", prefix + SCORES],
        cwd=ROOT,
        env={**measured(), **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    uses_numpy, compiled_is_loaded, score = result.stdout.split()
    (page,) = random_pages(1, [300], 37)
    assert (uses_numpy, compiled_is_loaded) == ("True", "False")
    assert float(score) == pytest.approx(float(maxsim.scores(page[:5], [page])[0]), rel=1e-4)


def test_compiled_kernels_are_used_by_default() -> None:
    assert not dispatch.USES_NUMPY
