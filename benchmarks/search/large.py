"""What many pages cost: `python -m benchmarks.search.large [--pages N] [--sketches N]`

A hundred thousand pages are searched through the verb, and smaller parts of them for the growth; a million sketches are
scanned in memory. Making the pages takes long the first time; they are kept. Writes benchmarks/results/large.json and
docs/figures/search-growth.svg, and ends with 1 if it is too slow.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import plot
from benchmarks.harness import baseline
from benchmarks.harness.household import household
from benchmarks.search import large_corpus
from paliapi.env import ROOT

RESULTS = Path(__file__).parents[1] / "results" / "large.json"
FIGURE = ROOT / "docs" / "figures" / "search-growth.svg"
PAGES, SKETCHES = 100_000, 1_000_000

MOST_MS, MOST_SCAN_MS, LEAST_RECALL = 60.0, 150.0, 0.95


def main(argv: Sequence[str]) -> int:
    """Measure, print, write; the exit code."""
    asked = _arguments(argv)
    large_corpus.load(asked.pages)
    sizes = [*(size for size in large_corpus.PARTS if size < asked.pages), asked.pages]
    with household({"INDEX_MB": "4096", "VECTORS_CACHE_MB": "2048"}) as house:
        scan = house.run("-m", "benchmarks.search.large_scan", str(asked.sketches), str(asked.pages))
        growth = house.run(
            "-m", "benchmarks.harness.in_django", "benchmarks.search.large_data", *map(str, [asked.pages, *sizes])
        )
        numpy_ms = baseline.numpy_ms(house)
    told = {
        "growth": json.loads(growth.splitlines()[-1]),
        "scan": json.loads(scan.splitlines()[-1]),
        "numpy_ms": numpy_ms,
    }
    if (asked.pages, asked.sketches) == (PAGES, SKETCHES):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        FIGURE.parent.mkdir(exist_ok=True)
        FIGURE.write_text(plot.growth(told), encoding="utf-8")
    sys.stdout.write(table(told))
    missed = shortfalls(told)
    sys.stdout.write("".join(f"Not good enough: {one}\n" for one in missed))
    return 1 if missed else 0


def shortfalls(told: dict[str, Any]) -> list[str]:
    """What was promised and is not so; empty where all is well."""
    largest, scan = told["growth"][-1], told["scan"]
    missed = []
    if largest["p50_ms"] > MOST_MS:
        missed.append(f"{largest['pages']} pages: {largest['p50_ms']} ms instead of {MOST_MS}")
    if largest["recall10"] < LEAST_RECALL:
        missed.append(f"{largest['pages']} pages: recall {largest['recall10']}")
    if scan["first_look_p50_ms"] > MOST_SCAN_MS:
        missed.append(f"{scan['pages']} sketches: {scan['first_look_p50_ms']} ms instead of {MOST_SCAN_MS}")
    return missed


def table(told: dict[str, Any]) -> str:
    """The results for people."""
    lines = ["| pages | p50 ms | p95 ms | recall@10 | top-1 | process MB | stolen % |", "|" + 7 * "---|"]
    for one in told["growth"]:
        names = ("p50_ms", "p95_ms", "recall10", "top1", "process_mb", "stolen_percent")
        lines.append(f"| {one['pages']:,} | " + " | ".join(f"{one[name]:,}" for name in names) + " |")
    scan = told["scan"]
    lines += [
        "",
        f"{scan['pages']:,} sketches: first look {scan['first_look_p50_ms']} ms over {scan['first_look_mb']:,} MB,",
        f"candidates after {scan['candidates_p50_ms']} ms over {scan['sketches_mb']:,} MB",
        "",
        baseline.line(told["numpy_ms"]),
    ]
    return "\n".join(lines)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search.large", description="What many pages cost.")
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--sketches", type=int, default=SKETCHES)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
