"""One owner's expensive requests next to another owner's searches: `python -m benchmarks.load.fairness`

First, each kind of request is sent alone, without rate limits; its time and its cost give the time of a unit. With the
default limits, one owner then searches at a steady rate: first alone, then while another owner sends the most expensive
requests: with one key over many connections, whatever the response, and with two further keys as fast as their budgets
allow. Prints two tables, writes benchmarks/results/fairness.json, and exits with 1 if the other owner's searches become
too slow.
"""

import argparse
import asyncio
import base64
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.harness.household import Household, household, served
from benchmarks.load.open_loop import Arrival, Outcome, fire, request
from benchmarks.search import corpus
from benchmarks.search.query_service import text_of
from benchmarks.search.synthetic import QUESTIONS

RESULTS = Path(__file__).parents[1] / "results" / "fairness.json"
PAGES, DOCUMENTS = 1000, 20_000
RATE, PHASE_S, WARM_UP_S = 5.0, 30.0, 5.0
CONNECTIONS = 16
MOST_SLOWDOWN = 3.0
_REPEATS = 3
# Without a refill, the balance shows what a request costs.
_UNLIMITED = {"RATE_PER_MINUTE": "1", "RATE_BURST": "1000000", "READ_TIMEOUT_S": "60"}
_PATIENCE_S = 2.0
_LEFT = re.compile(r'"key";r=(\d+)')

# The method, path and body of a request.
Call = tuple[str, str, dict[str, Any] | None]


@cache
def calls() -> dict[str, Call]:
    """Return the measured requests, by name."""
    page = {"document_name": "from-0", "collection_name": "first", "page_number": 1}
    days = [{"key": "signed", "op": "gte", "value": {"datetime": f"2027-01-01T09:{i:02d}:00Z"}} for i in range(60)]
    buffer = BytesIO()
    Image.new("RGB", (400, 400), "white").save(buffer, "PNG")
    image = base64.b64encode(buffer.getvalue()).decode()
    plain = {"query": text_of(1), "images": "none"}
    return {
        "a simple search": ("POST", "/v1/search/", plain),
        "a search with 3 images": ("POST", "/v1/search/", {"query": text_of(1)}),
        "a search, exact": ("POST", "/v1/search/", {**plain, "mode": "exact"}),
        "a search for 1,000 hits": ("POST", "/v1/search/", {**plain, "top_k": 1000}),
        "a search with 100 images": ("POST", "/v1/search/", {"query": text_of(1), "top_k": 100}),
        "a search with regions of 20": ("POST", "/v1/search/", {**plain, "top_k": 20, "include": ["regions"]}),
        "a search by a page": ("POST", "/v1/search/", {"page": page, "images": "none"}),
        "a search by a page for 1,000 hits": ("POST", "/v1/search/", {"page": page, "images": "none", "top_k": 1000}),
        "a search by an image": ("POST", "/v1/search-image/", {"img_base64": image, "images": "none"}),
        "a filter": ("POST", "/v1/filter/?limit=10", {"key": "signed", "value": 1}),
        "a filter with 60 conditions": ("POST", "/v1/filter/?limit=10", {"or": days}),
        "a list of 10,000 documents": ("GET", "/v1/documents/?collection_name=all", None),
        "a list of 100 documents": ("GET", "/v1/documents/?collection_name=all&limit=100", None),
        "a document with 100 images": ("GET", "/v1/documents/from-0/?collection_name=first&expand=pages", None),
        "a document": ("GET", "/v1/documents/from-0/?collection_name=first", None),
        "an account": ("GET", "/v1/me/", None),
    }


# What the hostile owner sends.
_EXPENSIVE = (
    "a search, exact",
    "a search for 1,000 hits",
    "a search with regions of 20",
    "a search by a page for 1,000 hits",
    "a search by an image",
    "a filter with 60 conditions",
    "a list of 10,000 documents",
    "a document with 100 images",
)


def main(argv: Sequence[str]) -> int:
    """Measure, print and write; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    arguments = parser.parse_args(argv)
    corpus.load(arguments.pages)
    with household() as house:
        module = ("-m", "benchmarks.harness.in_django", "benchmarks.load.fairness_data")
        *hostile, other = json.loads(house.run(*module, str(arguments.pages), str(DOCUMENTS)))
        with served(_with(house, _UNLIMITED)) as running:
            units = _units(running.port, hostile[0])
        with served(house) as running:
            fairness = _fairness(running.port, hostile, other, connections=arguments.connections)
    results = {"pages": arguments.pages, "documents": DOCUMENTS, "units": units, "fairness": fairness}
    sys.stdout.write(table(results))
    if arguments.pages == PAGES:
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if fairness["slowdown"] > MOST_SLOWDOWN:
        sys.stdout.write(f"Target missed: a slowdown of at most {MOST_SLOWDOWN}.\n")
        return 1
    return 0


def table(results: dict[str, Any]) -> str:
    """Return the results as text."""
    return _units_table(results["units"]) + _fairness_table(results["fairness"])


def _with(house: Household, settings: dict[str, str]) -> Household:
    return replace(house, environ={**house.environ, **settings})


def _units(port: int, key: str) -> dict[str, dict[str, float]]:
    """Return the median milliseconds and the cost of each request."""
    measured = {}
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as line:
        left = _send(line, key, calls()["an account"])[1]
        for name, call in calls().items():
            times, spent = [], 0
            for _ in range(_REPEATS + 1):
                before, (took, left) = left, _send(line, key, call)
                times.append(took)
                spent = before - left
            measured[name] = {"ms": round(float(np.median(times[1:])), 1), "units": spent}
    return measured


def _send(line: HTTPConnection, key: str, call: Call) -> tuple[float, int]:
    """Return the milliseconds of a request, and the units that the key has left."""
    method, path, body = call
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    line.request(method, path, json.dumps(body) if body else None, headers)
    answer = line.getresponse()
    content = answer.read()
    took = 1000 * (time.perf_counter() - began)
    left = _LEFT.match(answer.headers["RateLimit"])
    if answer.status != HTTPStatus.OK or left is None:
        raise SystemExit(f"{method} {path} got status {answer.status}: {content[:500]!r}")
    return took, int(left[1])


def _fairness(port: int, hostile: Sequence[str], other: str, *, connections: int) -> dict[str, Any]:
    asyncio.run(fire(_searches(other, seconds=WARM_UP_S), port=port))
    quiet = asyncio.run(fire(_searches(other, seconds=PHASE_S), port=port))
    disturbed, answers = asyncio.run(_disturbed(port, hostile, other, connections=connections))
    before, after = _p95_ms(quiet), _p95_ms(disturbed)
    return {
        "connections": connections,
        "quiet": {"p50_ms": _p50_ms(quiet), "p95_ms": before, "statuses": _statuses(quiet)},
        "disturbed": {"p50_ms": _p50_ms(disturbed), "p95_ms": after, "statuses": _statuses(disturbed)},
        "hostile_statuses": {str(status): count for status, count in sorted(answers.items())},
        "slowdown": round(after / before, 2),
    }


async def _disturbed(
    port: int, hostile: Sequence[str], other: str, *, connections: int
) -> tuple[list[Outcome], Counter[int]]:
    """Search while the hostile owner keeps all its connections busy."""
    answers: Counter[int] = Counter()
    impatient, *patient = hostile
    attackers = [asyncio.create_task(_attack(port, impatient, number, 0.0, answers)) for number in range(connections)]
    attackers += [
        asyncio.create_task(_attack(port, key, number, _PATIENCE_S, answers)) for number, key in enumerate(patient)
    ]
    await asyncio.sleep(WARM_UP_S)
    outcomes = await fire(_searches(other, seconds=PHASE_S), port=port)
    for attacker in attackers:
        attacker.cancel()
    await asyncio.gather(*attackers, return_exceptions=True)
    return outcomes, answers


async def _attack(port: int, key: str, number: int, pause_s: float, answers: "Counter[int]") -> None:
    """Send expensive requests one after another, with a pause after each that is refused."""
    while True:
        name = _EXPENSIVE[number % len(_EXPENSIVE)]
        number += 1
        (outcome,) = await fire([Arrival(at_s=0.0, kind=name, request=_wire(key, calls()[name]))], port=port)
        answers[outcome.status] += 1
        if outcome.status != HTTPStatus.OK:
            await asyncio.sleep(pause_s)


def _searches(key: str, *, seconds: float) -> list[Arrival]:
    return [
        Arrival(
            at_s=number / RATE,
            kind="search",
            request=_wire(key, ("POST", "/v1/search/", {"query": text_of(number % QUESTIONS), "images": "none"})),
        )
        for number in range(int(RATE * seconds))
    ]


def _wire(key: str, call: Call) -> bytes:
    method, path, body = call
    content = json.dumps(body).encode() if body else b""
    return request(method, path, key=key, body=content, content_type="application/json")


def _p50_ms(outcomes: Sequence[Outcome]) -> float:
    return round(1000 * float(np.percentile([one.seconds for one in outcomes], 50)), 1)


def _p95_ms(outcomes: Sequence[Outcome]) -> float:
    """Return the 95th percentile; a search without a result counts with its time as well."""
    return round(1000 * float(np.percentile([one.seconds for one in outcomes], 95)), 1)


def _statuses(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(Counter(one.status for one in outcomes).items())}


def _units_table(units: dict[str, dict[str, float]]) -> str:
    lines = ["| request | ms | units | ms a unit |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {one['ms']} | {one['units']} | {one['ms'] / max(1, one['units']):.1f} |"
        for name, one in units.items()
    ]
    return "\n".join(lines) + "\n\n"


def _fairness_table(fairness: dict[str, Any]) -> str:
    lines = ["| searches of the other owner | p50 ms | p95 ms | statuses |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {fairness[name]['p50_ms']} | {fairness[name]['p95_ms']} | {_counts(fairness[name]['statuses'])} |"
        for name in ("quiet", "disturbed")
    ]
    hostile = _counts(fairness["hostile_statuses"])
    return "\n".join([*lines, "", f"p95 {fairness['slowdown']} times as long; responses to the other: {hostile}", ""])


def _counts(statuses: dict[str, int]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in statuses.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
