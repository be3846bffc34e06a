"""Measure searches over many pages: `python -m benchmarks.search.large [--pages N] [--sketches N]`

A hundred thousand pages and subsets of them are searched; a million sketches are scanned in memory. Creating the pages
takes long the first time; they are kept. Writes benchmarks/results/large.json and docs/figures/search-growth.svg, and
exits with 1 if a target is missed.
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

MAX_MS, MAX_SCAN_MS, LEAST_RECALL = 60.0, 150.0, 0.95


def main(argv: Sequence[str]) -> int:
    """Measure, print and write; return the exit code."""
    arguments = _arguments(argv)
    large_corpus.load(arguments.pages)
    sizes = [*(size for size in large_corpus.PARTS if size < arguments.pages), arguments.pages]
    with household({"INDEX_MB": "4096", "VECTORS_CACHE_MB": "2048"}) as house:
        scan = house.run("-m", "benchmarks.search.large_scan", str(arguments.sketches), str(arguments.pages))
        growth = house.run(
            "-m", "benchmarks.harness.in_django", "benchmarks.search.large_data", *map(str, [arguments.pages, *sizes])
        )
        numpy_ms = baseline.numpy_ms(house)
    results = {
        "growth": json.loads(growth.splitlines()[-1]),
        "scan": json.loads(scan.splitlines()[-1]),
        "numpy_ms": numpy_ms,
    }
    if (arguments.pages, arguments.sketches) == (PAGES, SKETCHES):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        FIGURE.parent.mkdir(exist_ok=True)
        FIGURE.write_text(plot.growth(results), encoding="utf-8")
    sys.stdout.write(table(results))
    missed = shortfalls(results)
    sys.stdout.write("".join(f"Target missed: {one}\n" for one in missed))
    return 1 if missed else 0


def shortfalls(results: dict[str, Any]) -> list[str]:
    """Return the missed targets."""
    largest, scan = results["growth"][-1], results["scan"]
    missed = []
    if largest["p50_ms"] > MAX_MS:
        missed.append(f"{largest['pages']} pages: {largest['p50_ms']} ms instead of {MAX_MS}")
    if largest["recall10"] < LEAST_RECALL:
        missed.append(f"{largest['pages']} pages: recall {largest['recall10']}")
    if scan["first_look_p50_ms"] > MAX_SCAN_MS:
        missed.append(f"{scan['pages']} sketches: {scan['first_look_p50_ms']} ms instead of {MAX_SCAN_MS}")
    return missed


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = ["| pages | p50 ms | p95 ms | recall@10 | top-1 | process MB | stolen % |", "|" + 7 * "---|"]
    for one in results["growth"]:
        names = ("p50_ms", "p95_ms", "recall10", "top1", "process_mb", "stolen_percent")
        lines.append(f"| {one['pages']:,} | " + " | ".join(f"{one[name]:,}" for name in names) + " |")
    scan = results["scan"]
    lines += [
        "",
        f"{scan['pages']:,} sketches: first pass {scan['first_look_p50_ms']} ms over {scan['first_look_mb']:,} MB,",
        f"candidates after {scan['candidates_p50_ms']} ms over {scan['sketches_mb']:,} MB",
        "",
        baseline.line(results["numpy_ms"]),
    ]
    return "\n".join(lines)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search.large", description="Measure searches over many pages.")
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--sketches", type=int, default=SKETCHES)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
