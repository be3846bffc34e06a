"""Measure searches over a million pages: `python -m benchmarks.search.large [--pages N] [--only-make]`

All pages and leading subsets of them are searched from Postgres. Making the pages takes about an hour the first time;
they are kept, and an interrupted run continues. Writes benchmarks/results/large.json and
docs/figures/search-growth.svg, and exits with 1 if a target is missed.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import plot
from benchmarks.harness import baseline
from benchmarks.harness.household import Household, household
from benchmarks.search.corpus import BEST
from benchmarks.search.many import scope
from benchmarks.search.synthetic import Floats
from paliapi.env import ROOT

RESULTS = Path(__file__).parents[1] / "results" / "large.json"
FIGURE = ROOT / "docs" / "figures" / "search-growth.svg"
PAGES = 1_000_000
PROCESSES = 4

# Of what NumPy takes for 1,000 pages in the same run, by the number of pages.
MAX_RATIOS = {100_000: 0.16, 1_000_000: 0.62}
LEAST_RECALL = 0.98
MAX_COLD_MS = 100.0
_COLD_PAGES = 100_000
_COLD_STARTS = 5
_ROUNDS = 4
_DAY_S = 86_400

# The first process reads all sketches from Postgres, which takes longer than a search usually may.
_SETTINGS = {"SEARCH_TIMEOUT_S": "3600", "READ_TIMEOUT_S": "600"}
_MODULES = ("-m", "benchmarks.harness.in_django")


def main(argv: Sequence[str]) -> int:
    """Measure, print and write; return the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.search.large", description="Measure searches over many pages.")
    parser.add_argument("--pages", type=int, default=PAGES, help="a multiple of 1,000")
    parser.add_argument("--only-make", action="store_true", help="make the pages, and measure nothing")
    arguments = parser.parse_args(argv)
    pages = arguments.pages
    with household(_SETTINGS, kept=scope.folder(pages) / "home") as house:
        house.run(*_MODULES, "benchmarks.search.many.build", str(pages), house.superuser_url, within_s=_DAY_S)
        if arguments.only_make:
            return 0
        results = measured(house, pages)
    if pages == PAGES:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        FIGURE.parent.mkdir(exist_ok=True)
        FIGURE.write_text(plot.growth(results), encoding="utf-8")
    sys.stdout.write(table(results))
    missed = shortfalls(results)
    sys.stdout.write("".join(f"Target missed: {one}\n" for one in missed))
    return 1 if missed else 0


def measured(house: Household, pages: int) -> dict[str, Any]:
    """Return all figures of one run."""
    shutil.rmtree(house.home.path / "index", ignore_errors=True)
    scores = scope.scores(pages)
    with _searcher(house) as ask:
        loading_ms = ask(f"first {pages}")["ms"]
        stored = ask("stored")
    with _searcher(house) as ask:
        before = baseline.numpy_ms(house)
        growth = [_figures(ask(f"rounds {size} {_ROUNDS}"), scores[:, :size]) for size in scope.sizes(pages)]
        after = baseline.numpy_ms(house)
    cold_pages = min(_COLD_PAGES, pages)
    cold = [_first(house, cold_pages) for _ in range(_COLD_STARTS)]
    with ExitStack() as running:
        asking = [running.enter_context(_searcher(house)) for _ in range(PROCESSES)]
        for ask in asking:
            ask(f"rounds {pages} 1")
        memory = [ask("memory")["mb"] for ask in asking]
    numpy_ms = round((before + after) / 2, 2)
    return {
        "growth": [{**one, "of_numpy": round(one["p50_ms"] / numpy_ms, 3)} for one in growth],
        "cold": {"pages": cold_pages, "ms": round(float(np.median(cold)), 1)},
        "memory": {"pages": pages, "mb": memory},
        "files": {"mb": round(_bytes(house.home.path / "index") / 1e6), "written_s": round(loading_ms / 1000, 1)},
        "stored": stored,
        "numpy_ms": numpy_ms,
        "numpy_before_and_after_ms": [before, after],
    }


def shortfalls(results: dict[str, Any]) -> list[str]:
    """Return the missed targets."""
    missed = []
    for one in results["growth"]:
        pages, ratio = one["pages"], one["of_numpy"]
        if ratio > MAX_RATIOS.get(pages, ratio):
            missed.append(f"{pages} pages: {ratio} of NumPy's time instead of {MAX_RATIOS[pages]}")
        if pages in MAX_RATIOS and one["recall10"] < LEAST_RECALL:
            missed.append(f"{pages} pages: recall {one['recall10']}")
        if one["stubs"]:
            missed.append(f"{pages} pages: {one['stubs']} pages without all their vectors were scored")
    if results["cold"]["ms"] > MAX_COLD_MS:
        missed.append(f"first search of a process: {results['cold']['ms']} ms instead of {MAX_COLD_MS}")
    return missed


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    names = ("p50_ms", "of_numpy", "p95_ms", "recall10", "top1", "scored", "stubs", "stolen_percent")
    stages = list(results["growth"][-1]["stages_ms"])
    lines = [
        "| pages | p50 ms | p50 / NumPy | p95 ms | recall@10 | top-1 | scored | without vectors | stolen % |",
        "|---" * (1 + len(names)) + "|",
        *(_row(one["pages"], [one.get(name, "") for name in names]) for one in results["growth"]),
        "",
        "| pages | " + " | ".join(f"{stage} ms" for stage in stages) + " |",
        "|---" * (1 + len(stages)) + "|",
        *(_row(one["pages"], [one["stages_ms"].get(stage, "") for stage in stages]) for one in results["growth"]),
        "",
        *_notes(results),
        baseline.line(results["numpy_ms"]),
    ]
    return "\n".join(lines)


def _row(pages: int, values: Sequence[object]) -> str:
    return f"| {pages:,} | " + " | ".join(map(str, values)) + " |"


def _notes(results: dict[str, Any]) -> Iterator[str]:
    """Yield what was measured besides latency and recall."""
    if cold := results.get("cold"):
        yield f"The first search of a new process takes {cold['ms']} ms over {cold['pages']:,} pages.\n"
    if memory := results.get("memory"):
        each = " + ".join(f"{one:,.0f}" for one in memory["mb"])
        yield f"Processes that have searched {memory['pages']:,} pages: {each} = {sum(memory['mb']):,.0f} MB.\n"
    if files := results.get("files"):
        yield f"Files of sketches: {files['mb']:,} MB, read from Postgres and written in {files['written_s']} s.\n"
    if stored := results.get("stored"):
        tables = f"{stored['pages_gb']} GB of pages and {stored['vectors_gb']} GB of vectors, with indexes"
        yield f"All vectors are stored of {stored['with_all_vectors']:,} pages. Tables: {tables}.\n"


def _figures(answer: dict[str, Any], scores: Floats) -> dict[str, Any]:
    """Return the figures of one number of pages."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :BEST]
    pairs = list(zip(order.tolist(), answer["hits"], strict=True))
    return {
        "pages": scores.shape[1],
        "p50_ms": round(float(np.median(answer["ms"])), 2),
        "p95_ms": round(float(np.percentile(answer["ms"], 95)), 2),
        "recall10": round(float(np.mean([len(set(best) & set(hits)) / BEST for best, hits in pairs])), 4),
        "top1": round(float(np.mean([hits[:1] == best[:1] for best, hits in pairs])), 4),
        "scored": round(answer["scored"] / len(pairs), 1),
        **{name: answer[name] for name in ("stubs", "stolen_percent", "stages_ms")},
    }


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _first(house: Household, pages: int) -> float:
    with _searcher(house) as ask:
        return float(ask(f"first {pages}")["ms"])


@contextmanager
def _searcher(house: Household) -> Iterator[Callable[[str], dict[str, Any]]]:
    with house.talk(*_MODULES, "benchmarks.search.many.searcher") as ask:
        yield lambda line: dict(json.loads(ask(line)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
