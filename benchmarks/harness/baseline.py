"""The machine's speed: the time NumPy takes for a thousand pages, in the same run as the figures."""

import json

from benchmarks.harness.household import Household

_PAGES = 1000


def numpy_ms(services: Household) -> float:
    """Return milliseconds per query, with every page as float32 in memory."""
    return float(json.loads(services.run("-m", "benchmarks.search.one_engine", "numpy", str(_PAGES)))["p50_ms"])


def line(ms: float) -> str:
    """Return the line under a table."""
    return f"In the same run, NumPy takes {ms} ms for {_PAGES:,} pages in memory.\n"
