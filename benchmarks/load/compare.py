"""Compare the performance of two versions: `python -m benchmarks.load.compare CHECKOUT [--python PATH]`

CHECKOUT is a checkout of another version, such as `git worktree add ../before v0.1.0`, with its own environment in
`.venv`. Both stacks run at the same time, over the same pages and with a model that takes no time, and take turns, so
that other load on the machine affects both. Prints a table with the ratio of each figure.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import httpx
import numpy as np

from benchmarks.harness import sample_pdf, steal_time
from benchmarks.harness.uploads import until_ready, upload
from benchmarks.load import http_load, other_stack
from benchmarks.load.open_loop import fire
from paliapi.env import ROOT

PAGES, ROUNDS = 2_000, 6
SINGLE, STEP_S = 60, 5.0
USUAL_RATE, TOO_FAST = 20.0, 120.0
DOCUMENT_PAGES = 60
_PAUSE_S = 1.0

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Side:
    """A running stack of one version."""

    port: int
    keys: Sequence[str]

    def figures(self, number: int) -> Figures:
        """Measure one round."""
        measured = self._single_queries() | self._ingestion(number)
        usual = self._open_loop(USUAL_RATE, number)
        saturated = self._open_loop(TOO_FAST, number)
        return measured | {
            f"{USUAL_RATE:.0f} queries sent per second, p50 ms": usual.p50_ms,
            f"{USUAL_RATE:.0f} queries sent per second, p95 ms": usual.p95_ms,
            f"queries answered per second, of {TOO_FAST:.0f}": saturated.searches_per_s,
        }

    def _single_queries(self) -> Figures:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as line:
            times = [http_load.time_over_http(line, number, self.keys)[0] for number in range(SINGLE)]
        return {
            "one query at a time, p50 ms": _median(times),
            "one query at a time, p95 ms": float(np.percentile(times, 95)),
        }

    def _open_loop(self, rate: float, number: int) -> http_load.Step:
        # The seconds also determine the draw: other requests in each round, the same for both versions.
        arrivals = http_load.arrivals(self.keys, rate=rate, seconds=STEP_S + number / 1000)
        outcomes = asyncio.run(fire(arrivals, port=self.port))
        time.sleep(_PAUSE_S)
        return http_load.summary(outcomes, rate=rate)

    def _ingestion(self, number: int) -> Figures:
        headers = {"Authorization": f"Bearer {self.keys[0]}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60) as client:
            began = time.perf_counter()
            content = sample_pdf.report(DOCUMENT_PAGES, seed=number)
            upload(client, f"compare {number}", content, collection="compared")
            until_ready(client, f"compare {number}", within_s=600, collection="compared")
            return {"pages ingested per second": DOCUMENT_PAGES / (time.perf_counter() - began)}


def main(argv: Sequence[str]) -> int:
    """Measure both versions in turn and print the table."""
    arguments = _arguments(argv)
    with ExitStack() as ending:
        starts = [
            partial(_started, arguments.checkout, arguments.python or arguments.checkout / ".venv/bin/python"),
            partial(_started, ROOT, Path(sys.executable)),
        ]
        before, after = (ending.enter_context(start()) for start in starts)
        measured = steal_time.rounds(_turns(before, after), count=ROUNDS)
    sys.stdout.write(table([one.value for one in measured], stolen_percent=steal_time.percent(measured)))
    return 0


def _turns(before: Side, after: Side) -> Callable[[], tuple[Figures, Figures]]:
    """Return a function that measures both, each first every other time. The first round does not count."""
    sides, number = {"before": before, "after": after}, 0

    def measure() -> tuple[Figures, Figures]:
        nonlocal number
        number += 1
        order = ("before", "after") if number % 2 else ("after", "before")
        figures = {name: sides[name].figures(number) for name in order}
        return figures["before"], figures["after"]

    measure()
    return measure


def table(rounds: Sequence[tuple[Figures, Figures]], *, stolen_percent: float) -> str:
    """Return the medians of both versions, and the median of the ratios of each round, as Markdown."""
    lines = ["| | before | after | ratio |", "|---|---|---|---|"]
    for name in rounds[0][0]:
        before, after = ([side[name] for side in one] for one in zip(*rounds, strict=True))
        ratio = _median([new / old for old, new in zip(before, after, strict=True)])
        lines.append(f"| {name} | {_median(before):.1f} | {_median(after):.1f} | {ratio:.2f} |")
    return "\n".join([*lines, "", f"{len(rounds)} rounds; steal time: at most {stolen_percent} %", ""])


@contextmanager
def _started(checkout: Path, python: Path) -> Iterator[Side]:
    source = Path(other_stack.__file__).read_text(encoding="utf-8")
    with subprocess.Popen(
        [python, "-c", source, str(PAGES)], cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        if program.stdin is None or program.stdout is None:
            raise AssertionError("Both pipes were requested.")
        said = program.stdout.readline()
        if not said:
            raise SystemExit(f"The stack of {checkout} did not start.")
        yield Side(**json.loads(said))
        program.stdin.close()


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.load.compare", description="Compare two versions.")
    parser.add_argument("checkout", type=Path, help="a checkout of the other version")
    parser.add_argument("--python", type=Path, help="its Python; by default that of its .venv")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
