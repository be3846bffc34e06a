"""Compare the compiled kernels with those in plain NumPy: `python -m benchmarks.search.kernels`

Each set runs in a process of its own (see `collections_app.engine.retrieval.kernels`). Prints, for each kernel, the
median milliseconds of both and their ratio. Then compares the instructions that multiply pooled vectors, in turns in
one process.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from collections_app.engine.retrieval import maxsim, sketch
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.pooling import pool
from collections_app.engine.retrieval.sketch_scan import encode_query, load, score_coarse, score_fine
from paliapi.env import ROOT

DIM, VECTORS, PAGES, SCANNED = 128, 1030, 16, 2000
# As many as a search over many pages compares by pooled vectors.
POOLED = 400
_REPEATS = 7


def measure() -> dict[str, float]:
    """Return the milliseconds of each kernel in this process."""
    rng = np.random.default_rng(1)
    pages = [rng.normal(size=(VECTORS, DIM)).astype(np.float16) for _ in range(PAGES)]
    query = rng.normal(size=(20, DIM)).astype(np.float32)
    forms = [sketch.compact_forms(page) for page in pages]
    pooled = [sketch.decode_pooled(form.pooled, dim=DIM) for form in forms]
    copies = [forms[number % PAGES].sketch for number in range(SCANNED)]
    sketches, _ = load(b"".join(copies), np.array([len(one) for one in copies]), dim=DIM)
    rows, encoded = np.arange(SCANNED), encode_query(query)
    return {
        "scan, one bit": _median_ms(lambda: score_coarse(encoded, sketches.coarse, rows, dim=DIM)),
        "scan, sixteen levels": _median_ms(lambda: score_fine(encoded, sketches.fine, rows)),
        "exact scores": _median_ms(lambda: maxsim.scores(query, pages)),
        "pooled scores": _median_ms(lambda: maxsim.pooled_scores(query, pooled)),
        "pooling": _median_ms(lambda: pool(pages[0])),
    }


def instructions() -> dict[str, float]:
    """Return the least milliseconds in which each instruction scores pooled vectors, in this process."""
    rng = np.random.default_rng(1)
    pages = [sketch.decode_pooled(form.pooled, dim=DIM) for form in _forms(rng) for _ in range(POOLED // PAGES)]
    query = rng.normal(size=(24, DIM)).astype(np.float32)
    available: list[str | None] = [None, "vpmaddubsw", "vpdpbusd"]
    del available[1 + available.index(dispatch.BYTE_PRODUCTS) :]
    least = dict.fromkeys(map(_name, available), math.inf)
    for _ in range(_REPEATS):
        for instruction in available:
            dispatch.BYTE_PRODUCTS = instruction
            start = time.perf_counter()
            maxsim.pooled_scores(query, pages)
            least[_name(instruction)] = min(least[_name(instruction)], 1000 * (time.perf_counter() - start))
    return least


def _name(instruction: str | None) -> str:
    return instruction or "floats"


def _forms(rng: np.random.Generator) -> list[sketch.CompactForms]:
    return [sketch.compact_forms(rng.normal(size=(VECTORS, DIM)).astype(np.float16)) for _ in range(PAGES)]


def _median_ms(act: Callable[[], object]) -> float:
    act()
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def _in_process(**environment: str) -> dict[str, float]:
    argv = [sys.executable, "-m", "benchmarks.search.kernels", "--one"]
    environ = {**os.environ, **environment}  # noqa: TID251 - passed on to our own process
    done = subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    compiled, plain = _in_process(), _in_process(NUMBA_DISABLE_JIT="1")
    for name, milliseconds in compiled.items():
        ratio = plain[name] / milliseconds
        sys.stdout.write(
            f"{name:21} compiled {milliseconds:7.2f} ms  NumPy {plain[name]:7.2f} ms  {ratio:6.1f} times\n"
        )
    by_instruction = instructions()
    for name, milliseconds in by_instruction.items():
        ratio = by_instruction["floats"] / milliseconds
        sys.stdout.write(
            f"pooled scores by {name:10} {milliseconds:7.2f} ms  {ratio:6.1f} times as fast as by floats\n"
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["--one"]:
        sys.stdout.write(json.dumps(measure()))
    else:
        main()
