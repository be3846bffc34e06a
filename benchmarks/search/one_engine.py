"""Measure one engine in this process: `python -m benchmarks.search.one_engine NAME PAGES [cold]`

Prints the figures as JSON. With `cold`, the engine already has its pages and only the first query is timed.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec

import django
import numpy as np

from benchmarks.harness import steal_time
from benchmarks.search import corpus
from benchmarks.search.engines.base import MINIMUM_RECALL, Engine

# The module and class of each engine, and the package it needs.
ENGINES = {
    "numpy": ("in_numpy", "Numpy", "numpy"),
    "paliapi_auto": ("paliapi", "PaliapiAuto", "numpy"),
    "paliapi_compact": ("paliapi", "PaliapiCompact", "numpy"),
    "paliapi_exact": ("paliapi", "PaliapiExact", "numpy"),
    "sql_rows": ("sql_rows", "SqlRows", "numpy"),
    "pgvector_hnsw": ("pgvector_hnsw", "PgvectorHnsw", "numpy"),
    "qdrant": ("in_qdrant", "Qdrant", "qdrant_edge"),
    "qdrant_turbo": ("in_qdrant", "QdrantTurbo", "qdrant_edge"),
    "qdrant_binary": ("in_qdrant", "QdrantBinary", "qdrant_edge"),
    "lancedb": ("in_lancedb", "LanceDB", "lancedb"),
    "fast_plaid": ("in_fast_plaid", "FastPlaid", "fast_plaid"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figures of one engine."""

    p50_ms: float
    p95_ms: float
    recall10: float
    top1: float
    bytes_per_page: float
    build_s: float
    questions: int
    setting: str
    note: str
    stolen_percent: float


@dataclass(frozen=True, slots=True)
class Round:
    """The results of running every query once."""

    ms: list[float]
    recall10: float
    top1: float


def is_installed(name: str) -> bool:
    return find_spec(ENGINES[name][2]) is not None


def measure(engine: Engine) -> Measured:
    """Build the engine, find its fastest sufficient setting, and time that."""
    began = time.perf_counter()
    engine.build()
    build_s = time.perf_counter() - began
    setting = _best_setting(engine)
    rounds = steal_time.rounds(lambda: _round(engine, setting), count=engine.rounds)
    times = np.concatenate([one.value.ms for one in rounds]) * engine.scale()
    return Measured(
        p50_ms=round(float(np.percentile(times, 50)), 2),
        p95_ms=round(float(np.percentile(times, 95)), 2),
        recall10=round(rounds[0].value.recall10, 4),
        top1=round(rounds[0].value.top1, 4),
        bytes_per_page=round(engine.bytes_per_page()),
        build_s=round(build_s, 1),
        questions=_questions(engine),
        setting=setting,
        note=engine.note,
        stolen_percent=steal_time.percent(rounds),
    )


def first_ms(engine: Engine) -> float:
    """Return the milliseconds of the first query."""
    engine.build()
    began = time.perf_counter()
    engine.search(0, "")
    return 1000 * (time.perf_counter() - began)


def _best_setting(engine: Engine) -> str:
    """Return the fastest setting with enough recall, or the one with the most. Every query runs once before timing."""
    tried = {}
    for setting in engine.settings():
        tried[setting] = _round(engine, setting)
        if len(engine.settings()) > 1:
            tried[setting] = _round(engine, setting)
    good = [setting for setting, one in tried.items() if one.recall10 >= MINIMUM_RECALL]
    if good:
        return min(good, key=lambda setting: float(np.median(tried[setting].ms)))
    return max(tried, key=lambda setting: tried[setting].recall10)


def _round(engine: Engine, setting: str) -> Round:
    times, recall, best = [], [], []
    for question in range(_questions(engine)):
        began = time.perf_counter()
        hits = engine.search(question, setting)
        times.append(1000 * (time.perf_counter() - began))
        recall.append(engine.recall(question, hits))
        best.append(engine.is_best(question, hits))
    return Round(times, float(np.mean(recall)), float(np.mean(best)))


def _questions(engine: Engine) -> int:
    return min(engine.most_questions, len(engine.corpus.questions))


def main(name: str, pages: int, *, cold: bool) -> int:
    """Measure one engine and print its figures."""
    django.setup()
    module, kind, _ = ENGINES[name]
    engine: Engine = getattr(import_module(f"benchmarks.search.engines.{module}"), kind)(corpus.load(pages))
    try:
        figures = {"first_ms": first_ms(engine)} if cold else asdict(measure(engine))
    finally:
        engine.close()
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), cold="cold" in sys.argv[3:]))
