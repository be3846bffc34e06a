"""How fast this machine is: what NumPy takes for a thousand pages, in the same run as the figures beside it."""

import json

from benchmarks.harness.household import Household

_PAGES = 1000


def numpy_ms(house: Household) -> float:
    """Milliseconds a question, with every page as float32 in memory."""
    return float(json.loads(house.run("-m", "benchmarks.search.one_engine", "numpy", str(_PAGES)))["p50_ms"])


def line(told_ms: float) -> str:
    """For people, under a table."""
    return f"In the same run NumPy takes {told_ms} ms for {_PAGES:,} pages in memory.\n"
