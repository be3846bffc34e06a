"""Attack the web server with thousands of slow clients next to normal traffic: `make slow-clients`.

Searches, lists and liveness checks are sent at predetermined times, without the attack and with it in turns. Prints the
95th percentile of each, and of all together, with and without, and their ratio; writes
`drills/results/slow_clients.json`. Exits with 1 if a request fails, or if searches, lists or all together take more
than twice as long next to all kinds of slow clients at once. A kind alone may cost more: clients that read nothing send
whole requests. `ARGS="--server gthread"` measures gunicorn's own worker; `waitress` and `granian` must be installed
first.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.harness.household import Household, household, wait_until_it_answers
from benchmarks.load.open_loop import Arrival, Outcome, fire, request
from benchmarks.search import corpus
from benchmarks.search.query_service import text_of
from benchmarks.search.synthetic import QUESTIONS
from drills.slow_clients.attack import KINDS
from paliapi import env
from paliapi.configuration.sources import process_environ
from paliapi.stack.listen import free_port

RESULTS = env.ROOT / "drills" / "results" / "slow_clients.json"
PAGES = 500
_SEARCHES_PER_S, _LISTS_PER_S, _CHECKS_PER_S = 5.0, 10.0, 1.0
_SECONDS, _ROUNDS = 30.0, 2
_ESTABLISHED_WITHIN_S, _SETTLES_WITHIN_S = 60.0, 10.0
_MOST_RATIO = 2.0

_HEADINGS = (
    "| attack | connections | request | quiet p50 ms | quiet p95 ms | p50 ms | p95 ms | p95 ratio | failed |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)

_GUNICORN = ("-m", "gunicorn", "-c", "python:paliapi.gunicorn_settings")
_SERVERS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "paliapi": lambda _: (*_GUNICORN, "paliapi.wsgi"),
    "gthread": lambda _: (*_GUNICORN, "--worker-class", "gthread", "paliapi.wsgi"),
    "waitress": lambda port: (
        *("-m", "waitress", "--listen", f"127.0.0.1:{port}", "--threads", "16", "--asyncore-use-poll"),
        *("--connection-limit", "10000", "--channel-timeout", "10", "paliapi.wsgi:application"),
    ),
    "granian": lambda port: (
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--blocking-threads", "16", "paliapi.wsgi:application"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The latencies of one kind of request during one kind of attack; a request without an answer counts with 30 s."""

    attack: str
    connections: int
    request: str
    quiet_p50_ms: float
    quiet_p95_ms: float
    attacked_p50_ms: float
    attacked_p95_ms: float
    failed: int

    @property
    def ratio(self) -> float:
        return self.attacked_p95_ms / self.quiet_p95_ms


def main(argv: Sequence[str]) -> int:
    arguments = _arguments(argv)
    corpus.load(PAGES)
    generous = {"RATE_PER_MINUTE": "10000000", "RATE_BURST": "1000000"}
    with household(generous) as house:
        fill = ("-m", "benchmarks.harness.in_django", "benchmarks.load.load_data", "fill", str(PAGES))
        keys = json.loads(house.run(*fill))
        rows = []
        sys.stdout.write(_HEADINGS)
        for kind in arguments.kinds:
            # Each attack meets a fresh server.
            with _serving(house, arguments.server) as port:
                asyncio.run(fire(_arrivals(keys, seconds=5), port=port))
                for row in _measure(house, port, keys, kind, arguments):
                    rows.append(row)
                    sys.stdout.write(_line(row))
                    sys.stdout.flush()
    if arguments.server == "paliapi" and arguments.connections == 10_000:
        RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    judged = [row for row in rows if row.attack == "all" and row.request != "liveness"]
    good = all(row.ratio <= _MOST_RATIO for row in judged) and not any(row.failed for row in rows)
    return 0 if good else 1


@contextmanager
def _serving(house: Household, server: str) -> Iterator[int]:
    port = free_port()
    path = process_environ().get("PYTHONPATH", "")
    web = house.start("web", *_SERVERS[server](port), PALIAPI_PORT=str(port), PYTHONPATH=path)
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/livez", web)
        yield port
    finally:
        web.stop(within_s=10)


def _measure(
    house: Household, port: int, keys: Sequence[str], kind: str, arguments: argparse.Namespace
) -> Iterator[Row]:
    quiet: list[Outcome] = []
    attacked: list[Outcome] = []
    connections = 0
    for _ in range(_ROUNDS):
        quiet += asyncio.run(fire(_arrivals(keys, seconds=_SECONDS), port=port))
        with _attacking(house, port, kind, arguments) as state:
            attacked += asyncio.run(fire(_arrivals(keys, seconds=_SECONDS), port=port))
            seen = state()
            connections = max(connections, int(seen["open"]))
        sys.stderr.write(f"{kind}: {seen}\n")
        time.sleep(2)
    for name in ("search", "list", "liveness", "all"):
        before = [one for one in quiet if name in (one.kind, "all")]
        during = [one for one in attacked if name in (one.kind, "all")]
        yield Row(
            attack=kind,
            connections=connections,
            request=name,
            quiet_p50_ms=_percentile(before, 50),
            quiet_p95_ms=_percentile(before, 95),
            attacked_p50_ms=_percentile(during, 50),
            attacked_p95_ms=_percentile(during, 95),
            failed=sum(one.status != 200 for one in during),
        )


@contextmanager
def _attacking(
    house: Household, port: int, kind: str, arguments: argparse.Namespace
) -> Iterator[Callable[[], dict[str, Any]]]:
    count, addresses = str(arguments.connections), str(arguments.addresses)
    with house.talk("-m", "drills.slow_clients.attack", str(port), kind, count, addresses) as ask:

        def state() -> dict[str, Any]:
            return dict(json.loads(ask("")))

        until = time.monotonic() + _ESTABLISHED_WITHIN_S
        while state()["open"] < 0.9 * arguments.connections and time.monotonic() < until:
            time.sleep(0.5)
        time.sleep(_SETTLES_WITHIN_S)  # the first connections are replaced now
        yield state


def _arrivals(keys: Sequence[str], *, seconds: float) -> list[Arrival]:
    """Draw three Poisson processes, the same every time."""
    drawn = random.Random(seconds)  # noqa: S311 - the same load every time
    arrivals = []
    for kind, rate in (("search", _SEARCHES_PER_S), ("list", _LISTS_PER_S), ("liveness", _CHECKS_PER_S)):
        at_s = drawn.expovariate(rate)
        while at_s < seconds:
            arrivals.append(Arrival(at_s=at_s, kind=kind, request=_request(kind, drawn, drawn.choice(keys))))
            at_s += drawn.expovariate(rate)
    return sorted(arrivals, key=lambda arrival: arrival.at_s)


def _request(kind: str, drawn: random.Random, key: str) -> bytes:
    if kind == "search":
        query = {"query": text_of(drawn.randrange(QUESTIONS)), "collection_name": "first", "top_k": 3, "images": "url"}
        body = json.dumps(query).encode()
        return request("POST", "/v1/search/", key=key, body=body, content_type="application/json")
    path = "/v1/collections/" if kind == "list" else "/livez"
    return request("GET", path, key=key, body=b"", content_type="application/json")


def _percentile(outcomes: Sequence[Outcome], part: int) -> float:
    return round(1000 * float(np.percentile([one.seconds if one.status else 30.0 for one in outcomes], part)), 1)


def _line(row: Row) -> str:
    times = (row.quiet_p50_ms, row.quiet_p95_ms, row.attacked_p50_ms, row.attacked_p95_ms, row.ratio)
    figures = " | ".join(f"{figure:,.1f}" for figure in times)
    return f"| {row.attack} | {row.connections:,} | {row.request} | {figures} | {row.failed} |\n"


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="drills.slow_clients", description="Slow clients next to normal traffic.")
    parser.add_argument("--server", choices=_SERVERS, default="paliapi")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--addresses", type=int, default=1000, help="source addresses of the attack")
    parser.add_argument("--kinds", nargs="+", choices=("all", *KINDS), default=["all", *KINDS])
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
