"""Server time and size of the console's pages: `python -m benchmarks.console.server_time [--documents N]`

The web server runs as in `make run`, over one account with that many documents of ten pages each. A browser that has
signed in requests every page in turn over one connection, without waiting for images. Prints a table, writes
benchmarks/results/console.json, and exits with 1 if a page takes longer than it may.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import numpy as np

from benchmarks.harness import baseline, steal_time
from benchmarks.harness.household import household, served

RESULTS = Path(__file__).parents[1] / "results" / "console.json"
DOCUMENTS = 10_000
MOST_P50_MS = 60.0
_ROUNDS, _REQUESTS_A_ROUND = 3, 20
_HTML = {"Accept": "text/html,application/xhtml+xml"}

Sample: TypeAlias = tuple[float, int]  # milliseconds, bytes
Samples: TypeAlias = dict[str, list[Sample]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFigures:
    """What one page of the console takes."""

    p50_ms: float
    p95_ms: float
    kilobytes: float


def main(argv: Sequence[str]) -> int:
    """Measure, print and write; return the exit code."""
    documents = _arguments(argv).documents
    generous = {"RATE_PER_MINUTE": "10000000", "RATE_BURST": "1000000"}
    with household(generous) as house:
        _say(f"Storing {documents} documents of ten pages")
        stored = house.run("-m", "benchmarks.harness.in_django", "benchmarks.console.data", str(documents))
        about = json.loads(stored.splitlines()[-1])
        with served(house) as running, httpx.Client(base_url=running.url, headers=_HTML, timeout=60) as browser:
            sign_in(browser, about["key"])
            rounds = steal_time.rounds(lambda: _round(browser, addresses(about)), count=_ROUNDS)
        results: dict[str, Any] = {
            "documents": documents,
            "pages": about["pages"],
            "numpy_ms": baseline.numpy_ms(house),
            "stolen_percent": steal_time.percent(rounds),
            "console_pages": {name: asdict(_figures(name, rounds)) for name in addresses(about)},
        }
    if documents == DOCUMENTS:
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(results))
    missed = shortfalls(results)
    sys.stdout.write("".join(f"Target missed: {one}\n" for one in missed))
    return 1 if missed else 0


def sign_in(browser: httpx.Client, key: str) -> None:
    """Sign in with the key, through the form."""
    form = browser.get("/sign-in/").raise_for_status().text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    if token is None:
        raise SystemExit("The sign-in form has no CSRF token.")
    answer = browser.post("/sign-in/", data={"csrfmiddlewaretoken": token[1], "key": key})
    if answer.status_code != httpx.codes.FOUND:
        raise SystemExit(f"Signing in got status {answer.status_code}.")


def addresses(about: dict[str, Any]) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the path and query of each page that is measured, by what it shows."""
    collection = {"collection": about["large"]}
    document = {"collection": about["collection"], "document": about["document"]}
    return {
        "collections": ("/collections/", {}),
        "documents of a collection": ("/collection/", collection),
        "documents, last page": ("/collection/", {**collection, "page": "9999"}),
        "documents in progress": ("/collection/", {**collection, "state": "working"}),
        "documents, by name": ("/collection/", {**collection, "sort": "name"}),
        "documents, part of a name": ("/collection/", {**collection, "name": "77"}),
        "a document": ("/document/", document),
        "upload": ("/upload/", {}),
        "search, empty": ("/search/", {}),
        "search": ("/search/", {"q": "question 17"}),
        "search, both rankings": ("/search/", {"q": "default values of parameters", "ranking": "hybrid"}),
        "search, words only": ("/search/", {"q": "default values of parameters", "ranking": "lexical"}),
        "search, one collection": ("/search/", {"q": "question 17", **collection}),
        "a page": ("/page/", {**document, "page": str(about["page"])}),
        "activity": ("/activity/", {}),
        "activity, failed": ("/activity/", {"state": "failed"}),
        "evaluations": ("/evaluations/", {}),
        "webhooks": ("/webhooks/", {}),
        "keys": ("/keys/", {}),
        "account": ("/account/", {}),
    }


def _round(browser: httpx.Client, pages: dict[str, tuple[str, dict[str, str]]]) -> Samples:
    """Request every page in turn; the first request of each does not count."""
    taken: Samples = {name: [] for name in pages}
    for number in range(1 + _REQUESTS_A_ROUND):
        for name, (path, params) in pages.items():
            began = time.perf_counter()
            answer = browser.get(path, params=params)
            took = 1000 * (time.perf_counter() - began)
            if answer.status_code != httpx.codes.OK:
                raise SystemExit(f"{name}: status {answer.status_code}")
            if number:
                taken[name].append((took, len(answer.content)))
    return taken


def _figures(name: str, rounds: Sequence[steal_time.Round[Samples]]) -> PageFigures:
    times, sizes = zip(*(one for each in rounds for one in each.value[name]), strict=True)
    return PageFigures(
        p50_ms=round(float(np.percentile(times, 50)), 1),
        p95_ms=round(float(np.percentile(times, 95)), 1),
        kilobytes=round(float(np.median(sizes)) / 1000, 1),
    )


def shortfalls(results: dict[str, Any]) -> list[str]:
    """Return the pages that take longer than they may."""
    return [
        f"{name}: {one['p50_ms']} ms instead of {MOST_P50_MS}"
        for name, one in results["console_pages"].items()
        if one["p50_ms"] > MOST_P50_MS
    ]


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = ["| page of the console | p50 ms | p95 ms | kB |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {one['p50_ms']} | {one['p95_ms']} | {one['kilobytes']} |"
        for name, one in results["console_pages"].items()
    ]
    about = f"{results['documents']:,} documents, {results['pages']:,} pages in one account."
    stolen = f"At most {results['stolen_percent']} % of CPU time were stolen."
    return "\n".join([*lines, "", f"{about} {stolen}", "", baseline.line(results["numpy_ms"])])


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.console.server_time", description="Time the console's pages.")
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    return parser.parse_args(argv)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
