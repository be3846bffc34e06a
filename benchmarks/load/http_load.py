"""Search and upload over HTTP at rising rates: `python -m benchmarks.load.http_load [--pages N] [--minutes M]`

The web server and workers run as in `make run`, over pages of ten owners. Requests are sent at predetermined times (see
`benchmarks.load.open_loop`), at twice the rate in every step until they are no longer answered in time. With
`--minutes`, half the sustained rate then continues for that long while memory is watched. Prints a table, writes
benchmarks/results/load.json, and exits with 1 if a target is missed.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import baseline, steal_time, text_pdf
from benchmarks.harness.household import Household, household, served
from benchmarks.harness.memory import Memory
from benchmarks.load.open_loop import NO_ANSWER, PATIENCE_S, Arrival, Outcome, fire, request
from benchmarks.search import corpus
from benchmarks.search.query_service import text_of
from benchmarks.search.synthetic import QUESTIONS

RESULTS = Path(__file__).parents[1] / "results" / "load.json"
COLLECTIONS = ("first", "second")
TOP_K = 3
PAGES = 10_000
FIRST_RATE, STEP_S, PAUSE_S = 5.0, 20.0, 3.0
UPLOAD_SHARE = 0.02
ROUNDS, _BY_TURNS = 4, 10

# A step is too fast if half of the searches take longer, or fewer succeed.
SLOW_S, GOT_THROUGH = 1.0, 0.97
MOST_OVERHEAD_MS = 6.0
MOST_GROWTH = 1.10
_BOUNDARY = "of-the-benchmark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The outcome of one request rate."""

    rate: float
    searches_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    upload_p50_ms: float
    statuses: dict[str, int]
    saturated: bool


def main(argv: Sequence[str]) -> int:
    """Measure, print and write; return the exit code."""
    arguments = _arguments(argv)
    corpus.load(arguments.pages)
    results: dict[str, Any]
    # Rate limits are lifted; concurrency limits per owner stay.
    generous = {"RATE_PER_MINUTE": "10000000", "RATE_BURST": "1000000"}
    with household(generous) as house:
        _say(f"Storing {arguments.pages} pages in twenty collections")
        keys = json.loads(
            house.run("-m", "benchmarks.harness.in_django", "benchmarks.load.load_data", "fill", str(arguments.pages))
        )
        os.sync()  # pending writes would slow down the first steps
        with served(house) as running, Memory(running.programs) as memory:
            port = running.port
            results = {"numpy_ms": baseline.numpy_ms(house), **_overhead(house, port, keys)}
            results["steps"] = [asdict(step) for step in _rising(port, keys)]
            results["saturation_per_s"] = max((one["searches_per_s"] for one in results["steps"]), default=0.0)
            if arguments.minutes:
                results["soak"] = _soak(
                    port, keys, memory, rate=results["saturation_per_s"] / 2, minutes=arguments.minutes
                )
            results["memory_mb"] = memory.megabytes()
    results = {"pages": arguments.pages, "owners": len(keys), "collections": len(keys) * len(COLLECTIONS), **results}
    if arguments.pages == PAGES:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(results))
    missed = shortfalls(results)
    sys.stdout.write("".join(f"Target missed: {one}\n" for one in missed))
    return 1 if missed else 0


def _overhead(house: Household, port: int, keys: Sequence[str]) -> dict[str, float]:
    """Measure single queries: over HTTP, and by the search function in a process of its own.

    Both alternate, so that other load on the machine affects both. The first round does not count.
    """
    asking = house.talk("-m", "benchmarks.harness.in_django", "benchmarks.load.load_data", "verb")
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as line, asking as ask:

        def once() -> tuple[list[tuple[float, float]], list[float]]:
            through, directly = [], []
            for start in range(0, QUESTIONS, _BY_TURNS):
                some = range(start, min(start + _BY_TURNS, QUESTIONS))
                through += [time_over_http(line, number, keys) for number in some]
                directly += [float(ask(str(number))) for number in some]
            return through, directly

        once()
        rounds = steal_time.rounds(once, count=ROUNDS)
    http = [answer for one in rounds for answer in one.value[0]]
    verb = [took for one in rounds for took in one.value[1]]
    times = [took for took, _ in http]
    return {
        "stolen_percent": steal_time.percent(rounds),
        "http_p50_ms": round(float(np.median(times)), 2),
        "verb_p50_ms": round(float(np.median(verb)), 2),
        "overhead_ms": round(float(np.median(times) - np.median(verb)), 2),
        "outside_stages_ms": round(float(np.median([took - stages for took, stages in http])), 2),
    }


def time_over_http(line: HTTPConnection, number: int, keys: Sequence[str]) -> tuple[float, float]:
    """Return the milliseconds of one query, and of the stages that its response reports."""
    body = json.dumps(_question(number % QUESTIONS, COLLECTIONS[number % 2])).encode()
    headers = {"Authorization": f"Bearer {keys[number % len(keys)]}", "Content-Type": "application/json"}
    began = time.perf_counter()
    line.request("POST", "/v1/search/", body, headers)
    answer = line.getresponse()
    body = answer.read()
    took = 1000 * (time.perf_counter() - began)
    if answer.status != HTTPStatus.OK:
        raise SystemExit(f"A search got status {answer.status}: {body[:500]!r}")
    return took, _reported_ms(answer.headers["Server-Timing"])


def _reported_ms(timing: str) -> float:
    return sum(float(part.rpartition("=")[2]) for part in timing.split(","))


def _rising(port: int, keys: Sequence[str]) -> Iterator[Step]:
    """Run steps of rising rate; the last one exceeds the capacity."""
    rate, saturated = FIRST_RATE, False
    while not saturated:
        step = summary(asyncio.run(fire(arrivals(keys, rate=rate, seconds=STEP_S), port=port)), rate=rate)
        saturated = step.saturated
        _say(f"{rate:.0f} per second: {step.p50_ms} ms, {step.statuses}")
        yield step
        time.sleep(PAUSE_S)
        rate *= 2


def summary(outcomes: Sequence[Outcome], *, rate: float) -> Step:
    searches = [one for one in outcomes if one.kind == "search"]
    good = [one.seconds for one in searches if one.status == 200] or [PATIENCE_S]
    uploads = [one.seconds for one in outcomes if one.kind == "upload" and one.status == 202] or [PATIENCE_S]
    lasted = max(one.at_s + one.seconds for one in outcomes)
    got_through = sum(one.status == 200 for one in searches) / len(searches)
    p50, p95, p99 = (round(1000 * float(np.percentile(good, part)), 1) for part in (50, 95, 99))
    return Step(
        rate=rate,
        searches_per_s=round(len(good) / lasted, 1),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        upload_p50_ms=round(1000 * float(np.median(uploads)), 1),
        statuses=_statuses(outcomes),
        saturated=p50 > 1000 * SLOW_S or got_through < GOT_THROUGH,
    )


def _statuses(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Count each status; a rejection without `Retry-After` is counted separately."""

    def name(one: Outcome) -> str:
        if one.status == NO_ANSWER:
            return "none"
        return f"{one.status}" if one.asks_back or one.status not in (429, 503) else f"{one.status} without Retry-After"

    return dict(sorted(Counter(map(name, outcomes)).items()))


def _soak(port: int, keys: Sequence[str], memory: Memory, *, rate: float, minutes: float) -> dict[str, Any]:
    _say(f"{minutes} minutes at {rate:.0f} per second")
    memory.forget()
    stolen = steal_time.Stolen()
    outcomes = asyncio.run(fire(arrivals(keys, rate=rate, seconds=60 * minutes), port=port))
    taken = round(100 * stolen.share(), 1)
    step = summary(outcomes, rate=rate)
    return {"minutes": minutes, **asdict(step), "stolen_percent": taken, "memory_growth": memory.growth()}


def arrivals(keys: Sequence[str], *, rate: float, seconds: float) -> list[Arrival]:
    """Draw a Poisson process, determined by rate and duration."""
    drawn = random.Random(f"{rate} {seconds}")  # noqa: S311 - the same load every time
    due: list[Arrival] = []
    at_s = drawn.expovariate(rate)
    while at_s < seconds:
        key = drawn.choice(keys)
        if drawn.random() < UPLOAD_SHARE:
            due.append(Arrival(at_s=at_s, kind="upload", request=_upload(key, name=f"{rate} {at_s}")))
        else:
            question = _question(drawn.randrange(QUESTIONS), drawn.choice(COLLECTIONS))
            body = json.dumps(question).encode()
            sent = request("POST", "/v1/search/", key=key, body=body, content_type="application/json")
            due.append(Arrival(at_s=at_s, kind="search", request=sent))
        at_s += drawn.expovariate(rate)
    return due


def _question(number: int, collection: str) -> dict[str, Any]:
    return {"query": text_of(number), "collection_name": collection, "top_k": TOP_K, "images": "url"}


def _upload(key: str, *, name: str) -> bytes:
    """Build an upload of one page to a separate collection, so that the searched ones keep their size."""
    page = text_pdf.write([[text_pdf.Line(f"Page of the benchmark {name}", 60, 760)]])
    fields = {"name": f"upload {name}", "collection_name": "uploads"}
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    file = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    body = "".join(parts).encode() + file.encode() + page + f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return request("POST", "/v1/documents/upsert-document/", key=key, body=body, content_type=kind)


def shortfalls(results: dict[str, Any]) -> list[str]:
    """Return the missed targets."""
    missed = []
    if results["overhead_ms"] > MOST_OVERHEAD_MS:
        missed.append(f"HTTP costs {results['overhead_ms']} ms")
    for step in results["steps"]:
        bad = {name for name in step["statuses"] if name not in ("200", "202")}
        if bad - ({"429", "503"} if step["saturated"] else set()):
            missed.append(f"at {step['rate']:.0f} per second: {step['statuses']}")
    soak = results.get("soak")
    if soak:
        missed += [
            f"the memory of {name} grew {by} times" for name, by in soak["memory_growth"].items() if by > MOST_GROWTH
        ]
        if set(soak["statuses"]) - {"200", "202"}:
            missed.append(f"in the soak: {soak['statuses']}")
    return missed


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        f"{results['pages']:,} pages, {results['owners']} owners, {results['collections']} collections",
        f"HTTP {results['http_p50_ms']} ms, search {results['verb_p50_ms']} ms, overhead {results['overhead_ms']} ms",
        f"steal time: at most {results['stolen_percent']} %",
        "",
        "| sent/s | searched/s | p50 ms | p95 ms | p99 ms | upload p50 ms | statuses |",
        "|---|---|---|---|---|---|---|",
    ]
    for step in results["steps"] + ([results["soak"]] if "soak" in results else []):
        figures = (step[name] for name in ("rate", "searches_per_s", "p50_ms", "p95_ms", "p99_ms", "upload_p50_ms"))
        statuses = ", ".join(f"{name}: {count}" for name, count in step["statuses"].items())
        lines.append("| " + " | ".join(f"{figure:,.1f}" for figure in figures) + f" | {statuses} |")
    return "\n".join([*lines, "", f"memory in MB: {results['memory_mb']}", "", baseline.line(results["numpy_ms"])])


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.load.http_load", description="Search and upload over HTTP at rising rates."
    )
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--minutes", type=float, default=0.0, help="length of the soak")
    return parser.parse_args(argv)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
