"""Compare search latency and recall with other engines on the same pages: `python -m benchmarks.search.peers`

Each engine runs in its own process with the same queries; PaliAPI searches pages in a real Postgres. Prints a table,
writes benchmarks/results/search.json, and exits with 1 if PaliAPI misses a target.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.harness.household import FOLDER, Household, ProgramFailed, household
from benchmarks.search import corpus
from benchmarks.search.engines.base import MINIMUM_RECALL
from benchmarks.search.one_engine import ENGINES, is_installed
from benchmarks.search.synthetic import DIM, VECTORS

RESULTS = Path(__file__).parents[1] / "results" / "search.json"
DRAFT = FOLDER / "search.json"
SIZES = (1000, 10_000)
COLD_STARTS = 5
# Engines that take minutes to build an index of a thousand pages.
MOST_PAGES = {"lancedb": 1000, "fast_plaid": 1000}

# By pages: median milliseconds, recall.
PROMISED = {1000: (8.0, 0.97), 10_000: (25.0, 0.97)}
TIMES_FASTER_THAN_ROWS = 500
HEADER = ("engine", "p50 ms", "p95 ms", "recall@10", "top-1", "kB/page", "stolen %", "setting")

Results: TypeAlias = dict[str, dict[str, dict[str, Any]]]


def main(argv: list[str]) -> int:
    """Measure what the arguments select; return the exit code."""
    arguments = _arguments(argv)
    results: Results = json.loads(DRAFT.read_text(encoding="utf-8")) if arguments.resume and DRAFT.is_file() else {}
    for pages in arguments.pages:
        _say(f"Creating or loading {pages} pages")
        corpus.load(pages)
    with household() as house:
        for pages in arguments.pages:
            for name in arguments.engines:
                done = results.setdefault(str(pages), {})
                if name not in done and is_for(name, pages):
                    done.update(_measured(house, name, pages))
                    DRAFT.write_text(json.dumps(results), encoding="utf-8")
    sys.stdout.write(table(results))
    if set(arguments.pages) <= set(SIZES):
        _keep(results, whole=arguments.engines == list(ENGINES))
    DRAFT.unlink(missing_ok=True)
    missed = shortfalls(results)
    sys.stdout.write("".join(f"Target missed: {one}\n" for one in missed))
    return 1 if missed else 0


def is_for(name: str, pages: int) -> bool:
    """Return whether the engine can be measured here with this many pages."""
    return is_installed(name) and pages <= MOST_PAGES.get(name, pages)


def _measured(house: Household, name: str, pages: int) -> dict[str, dict[str, Any]]:
    """Run the engine in a process of its own; skip another engine that fails."""
    _say(f"{name}, {pages} pages")
    began = time.monotonic()
    try:
        figures = _run(house, name, pages)
        if name == "paliapi_auto":
            starts = [_run(house, name, pages, "cold")["first_ms"] for _ in range(COLD_STARTS)]
            figures["cold_ms"] = round(float(np.median(starts)), 1)
    except ProgramFailed as failed:
        _say(str(failed))
        return {}
    _say(f"{name}, {pages} pages: {figures['p50_ms']} ms; all of it took {time.monotonic() - began:.0f} s")
    return {name: figures}


def _run(house: Household, *argv: object) -> dict[str, Any]:
    printed = house.run("-m", "benchmarks.search.one_engine", *map(str, argv))
    figures = json.loads(printed.splitlines()[-1])
    return dict(figures)


def shortfalls(results: Results) -> list[str]:
    """Return the missed targets."""
    missed = []
    for pages, engines in results.items():
        own = engines.get("paliapi_auto")
        if own is None:
            continue
        max_ms, least_recall = PROMISED.get(int(pages), (np.inf, 0.0))
        if own["p50_ms"] > max_ms:
            missed.append(f"{pages} pages: {own['p50_ms']} ms instead of {max_ms}")
        if own["recall10"] < least_recall or own["top1"] < 1:
            missed.append(f"{pages} pages: recall {own['recall10']}, top-1 {own['top1']}")
        missed += [f"{pages} pages: {why}" for why in _beaten_by(engines)]
    return missed


def _beaten_by(engines: dict[str, dict[str, Any]]) -> list[str]:
    own = engines["paliapi_auto"]["p50_ms"]
    rows = engines.get("sql_rows", {}).get("p50_ms", np.inf)
    reasons = [] if rows >= TIMES_FASTER_THAN_ROWS * own else [f"only {rows / own:.0f} times faster than rows in SQL"]
    peers = {name: one for name, one in engines.items() if not name.startswith("paliapi")}
    reasons += [
        f"{name} is faster" for name, one in peers.items() if one["recall10"] >= MINIMUM_RECALL and one["p50_ms"] < own
    ]
    return reasons


def table(results: Results) -> str:
    """Return the results as Markdown."""
    lines = []
    for pages, engines in results.items():
        lines += ["", f"{int(pages):,} pages of {VECTORS:,} x {DIM}", "", _row(*HEADER), _row(*("---",) * len(HEADER))]
        lines += [_row(name, *_cells(one)) for name, one in engines.items()]
    return "\n".join([*lines, ""]) + "\n"


def _cells(one: dict[str, Any]) -> list[str]:
    figures = [f"{one['p50_ms']:,.1f}", f"{one['p95_ms']:,.1f}", f"{one['recall10']:.3f}", f"{one['top1']:.2f}"]
    return [*figures, f"{one['bytes_per_page'] / 1000:,.0f}", f"{one['stolen_percent']:.1f}", one["setting"]]


def _row(*cells: str) -> str:
    widths = (14, 10, 10, 10, 6, 8, 8, 1)
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _keep(results: Results, *, whole: bool) -> None:
    """Write the results; a partial run replaces only the engines it measured."""
    RESULTS.parent.mkdir(exist_ok=True)
    known: Results = {} if whole or not RESULTS.is_file() else json.loads(RESULTS.read_text(encoding="utf-8"))
    for pages, engines in results.items():
        known[pages] = {**known.get(pages, {}), **engines}
    RESULTS.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.search.peers", description="Compare search latency and recall with other engines."
    )
    parser.add_argument("--pages", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    return parser.parse_args(argv)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
