"""BLAS runs on one thread inside the context, and stays there."""

import subprocess
import sys

from paliapi.env import ROOT

_PROGRAM = """
from threadpoolctl import threadpool_info, threadpool_limits
from collections_app.engine.retrieval.single_threaded_blas import single_threaded

def threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

threadpool_limits(3, user_api="blas")
seen = [threads()]
with single_threaded():
    seen.append(threads())
seen.append(threads())
print(seen)
"""


def test_blas_has_one_thread_from_the_first_context_on() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    many, inside, after = done.stdout.strip().strip("[]").split(", ")
    assert many != "{1}"
    assert (inside, after) == ("{1}", "{1}")
