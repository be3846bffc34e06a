"""The comparison: new processes that load from Postgres or from files, their scans in turns, and memory of four."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import baseline, steal_time
from benchmarks.harness.household import Household, household

RESULTS = Path(__file__).parents[2] / "results" / "sketch_files.json"
PAGES = 100_000
_PROCESSES = 4
_ROUNDS = 4
_SCANS = 40
_FILES_MB = {"postgres": 0, "files": 100_000}
_PROGRAM = ("-m", "benchmarks.harness.in_django", "benchmarks.search.sketch_files.process")


def main(pages: int) -> int:
    """Measure, print, and write if the size is the usual one."""
    with household() as house:
        owner = house.run(*_PROGRAM, "fill", str(pages)).strip()
        results = {"pages": pages, **_measured(house, owner), "numpy_ms": baseline.numpy_ms(house)}
    if pages == PAGES:
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(results))
    return 0


def _measured(house: Household, owner: str) -> dict[str, Any]:
    with _process(house, owner, "files") as first:
        writing = first("ready")
    starts = steal_time.rounds(lambda: {way: _start(house, owner, way) for way in _FILES_MB}, count=_ROUNDS)
    ways: dict[str, dict[str, Any]] = {}
    for way in _FILES_MB:
        times = [one.value[way] for one in starts]
        names = ("load_ms", "first_look_ms")
        ways[way] = {name: round(float(np.median([one[name] for one in times])), 1) for name in names}
        ways[way]["memory_mb"] = _memory(house, owner, way)
    with ExitStack() as running:
        asking = {way: running.enter_context(_process(house, owner, way)) for way in _FILES_MB}
        for ask in asking.values():
            ask("ready")
        scans = steal_time.rounds(
            lambda: [{way: ask("scan")["ms"] for way, ask in asking.items()} for _ in range(_SCANS)], count=_ROUNDS
        )
    for way, figures in ways.items():
        figures["scan_ms"] = round(float(np.median([each[way] for one in scans for each in one.value])), 2)
    return {
        "ways": ways,
        "writing_ms": writing["load_ms"],
        "files": writing["files"],
        "stolen_percent": max(steal_time.percent(starts), steal_time.percent(scans)),
    }


def _start(house: Household, owner: str, way: str) -> dict[str, Any]:
    with _process(house, owner, way) as ask:
        return ask("ready")


def _memory(house: Household, owner: str, way: str) -> list[float]:
    """Return the megabytes of several processes that have all looked at all sketches, shared pages divided."""
    with ExitStack() as running:
        asking = [running.enter_context(_process(house, owner, way)) for _ in range(_PROCESSES)]
        for ask in asking:
            ask("ready")
        return [ask("memory")["mb"] for ask in asking]


@contextmanager
def _process(house: Household, owner: str, way: str) -> Iterator[Callable[[str], dict[str, Any]]]:
    with house.talk(*_PROGRAM, "search", owner, str(_FILES_MB[way])) as ask:
        yield lambda line: dict(json.loads(ask(line)))


def table(results: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    head = "| from | until loaded, ms | first look, ms | later looks, ms | MB of each of four processes | all, MB |"
    lines = [head, "|---" * 6 + "|"]
    for way, figures in results["ways"].items():
        memory = figures["memory_mb"]
        each = ", ".join(f"{one:.0f}" for one in memory)
        times = " | ".join(str(figures[name]) for name in ("load_ms", "first_look_ms", "scan_ms"))
        lines.append(f"| {way} | {times} | {each} | {sum(memory):,.0f} |")
    lines += [
        "",
        f"{results['pages']:,} pages. Loading from Postgres and writing the files takes {results['writing_ms']:,} ms.",
        f"At most {results['stolen_percent']} % of CPU time were stolen.",
        "",
        baseline.line(results["numpy_ms"]),
    ]
    return "\n".join(lines)
