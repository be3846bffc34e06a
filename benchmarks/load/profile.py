"""Where the CPU time of a search goes, from socket to socket: `python -m benchmarks.load.profile [--pages N]`

Clients send searches one after another over several connections, so that the machine is saturated. There are three
runs: the first counts the CPU time of each process, the second samples the web server with py-spy, and in the third
Postgres logs the CPU time of every statement. Samples and statements only say how the time of the first run is divided,
so the figures do not include the cost of measuring. Prints tables and writes benchmarks/results/profile.json.
"""

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.harness import quiet, steal_time
from benchmarks.harness.cpu_time import by_role
from benchmarks.harness.household import Household, household, served
from benchmarks.load import http_load, stacks
from benchmarks.load.open_loop import keep_busy
from benchmarks.search import corpus

RESULTS = Path(__file__).parents[1] / "results" / "profile.json"
PAGES = 4_000  # two hundred in each collection: enough for searches by sketches
IN_FLIGHT, SECONDS, WARM_UP = 8, 15.0, 2_000
_SAMPLES_PER_S = 200
_GOOD_SHARE = 0.99  # sampling stops the server for a moment, and it rejects what has waited too long then
_MOST_STATEMENTS = 10

# Lines of Postgres' log: a statement, and the CPU time of a message of the protocol, which follows its title.
_LINE = re.compile(r"\[(?P<process>\d+)\] .*?(?P<kind>LOG|DETAIL):  (?P<text>.*)")
_STATEMENT = re.compile(r"(?:statement|execute [^:]*): (.*)")
_USAGE = re.compile(r"!\t([\d.]+) s user, ([\d.]+) s system")


@dataclass(frozen=True, slots=True)
class Load:
    """The searches of one run, and how long it took."""

    searches: int
    seconds: float

    @property
    def per_s(self) -> float:
        return self.searches / self.seconds


def main(argv: Sequence[str]) -> int:
    """Profile, print and write."""
    arguments = _arguments(argv)
    sampler = shutil.which("py-spy")
    if sampler is None:
        raise SystemExit("py-spy is not on the PATH: `pip install py-spy`.")
    corpus.load(arguments.pages)
    settings = {"RATE_PER_MINUTE": "10000000", "RATE_BURST": "1000000"}
    if arguments.processes:
        settings["WEB_WORKERS"] = str(arguments.processes)
    with household(settings) as house:
        fill = ("-m", "benchmarks.harness.in_django", "benchmarks.load.load_data", "fill", str(arguments.pages))
        _say(f"Storing {arguments.pages} pages in twenty collections")
        keys = json.loads(house.run(*fill))
        with served(house) as running:
            requests = _requests(keys)
            _say(f"{WARM_UP} searches that fill the caches")
            _drive(running.port, requests, searches=WARM_UP)
            results = _profile(
                house, running.port, running.programs["web"], requests, sampler=sampler, seconds=arguments.seconds
            )
    results = {"pages": arguments.pages, **results}
    if (arguments.pages, arguments.seconds, arguments.processes) == (PAGES, SECONDS, None):
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(results))
    return 0


def _profile(
    house: Household, port: int, web: int, requests: Iterator[bytes], *, sampler: str, seconds: float
) -> dict[str, Any]:
    _say("The processes")
    before, stolen = by_role(), steal_time.Stolen()
    with quiet.noise() as noise:
        load = _drive(port, requests, seconds=seconds)
        after = by_role()
    stolen_percent = round(100 * stolen.share(), 1)
    processes = {
        role: round(1000 * (spent - before.get(role, 0.0)) / load.searches, 3) for role, spent in after.items()
    }
    ours_s = sum(processes.values()) * load.searches / 1000
    _say("The web server, by py-spy")
    held = stacks.shares(_sampled(sampler, web, port, requests, "--gil", seconds=seconds))
    passed = stacks.waiting(_sampled(sampler, web, port, requests, "--idle", seconds=seconds))
    return {
        "searches_per_s": round(load.per_s, 1),
        "in_flight": IN_FLIGHT,
        "stolen_percent": stolen_percent,
        "others_percent": noise.others_percent(ours_s),
        "cpu_ms": processes,
        "web_cpu_ms": {name: round(share * processes["web"], 3) for name, share in held.items()},
        "request_ms": _request_ms(passed, load, cpu_ms=processes["web"]),
        "postgres_cpu_ms": _by_statement(house, port, requests, seconds=seconds, total_ms=processes["postgres"]),
    }


def _request_ms(shares: dict[str, float], load: Load, *, cpu_ms: float) -> dict[str, float]:
    """Divide the time of a search among what its thread does and waits for."""
    all_ms = 1000 * IN_FLIGHT / load.per_s
    passed = {name: share * all_ms for name, share in shares.items()}
    ready_ms = passed.pop(stacks.RUNNING, 0.0)
    passed["running"] = min(cpu_ms, ready_ms)
    passed["waiting for the interpreter's lock or a processor"] = ready_ms - passed["running"]
    return {name: round(ms, 2) for name, ms in passed.items()}


def _sampled(
    sampler: str, web: int, port: int, requests: Iterator[bytes], *options: str, seconds: float
) -> Counter[stacks.Stack]:
    """Sample the processes of the web server while clients search."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stacks"
        argv = [
            sampler,
            "record",
            "--pid",
            str(web),
            "--subprocesses",
            "--nonblocking",
            "--threads",
            "--full-filenames",
        ]
        argv += [
            "--rate",
            str(_SAMPLES_PER_S),
            "--duration",
            str(int(seconds)),
            "--format",
            "raw",
            "--output",
            str(out),
        ]
        with subprocess.Popen([*argv, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sampling:
            _drive(port, requests, until=lambda: sampling.poll() is not None)
        return stacks.read(out.read_text(encoding="utf-8"))


def _by_statement(
    house: Household, port: int, requests: Iterator[bytes], *, seconds: float, total_ms: float
) -> dict[str, float]:
    """Divide the CPU time of Postgres by statement."""
    _say("The statements, by Postgres")
    log = house.home.logs / "postgres.log"
    with psycopg.connect(house.superuser_url, autocommit=True) as connection:
        for change in ("log_statement_stats = on", "log_statement = 'all'"):
            connection.execute(f"ALTER SYSTEM SET {change}".encode())
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(1)
        start = log.stat().st_size
        load = _drive(port, requests, seconds=seconds / 3)
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("SELECT pg_reload_conf()")
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(start)
        spent, executed = statement_seconds(file)
    whole = sum(spent.values())
    return {
        f"{name} ({executed[name] / load.searches:.1f} per search)": round(total_ms * taken / whole, 3)
        for name, taken in sorted(spent.items(), key=lambda one: -one[1])[:_MOST_STATEMENTS]
    }


def statement_seconds(log: Iterable[str]) -> tuple[dict[str, float], Counter[str]]:
    """Return the CPU seconds of each statement in Postgres' log, and how often it was executed."""
    spent: dict[str, float] = {}
    executed: Counter[str] = Counter()
    statements: dict[str, str] = {}  # of each process
    before: dict[str, float] = {}  # the time to parse and bind what comes next
    process = title = ""
    for line in log:
        if entry := _LINE.search(line):
            process = entry["process"]
            if statement := _STATEMENT.match(entry["text"]):
                statements[process] = _short(statement[1])
            elif entry["kind"] == "LOG":
                title = entry["text"]
        elif usage := _USAGE.search(line):
            before[process] = before.get(process, 0.0) + float(usage[1]) + float(usage[2])
            if title.startswith(("EXECUTE", "QUERY")) and process in statements:
                name = statements.pop(process)
                spent[name] = spent.get(name, 0.0) + before.pop(process)
                executed[name] += 1
    return spent, executed


def _short(statement: str) -> str:
    """Return a statement without its values, as far as it fits into a table."""
    text = re.sub(r"ARRAY\[[^]]*\]|IN \([^)]*\)|'[^']*'|\b\d+\b", "?", " ".join(statement.split())).replace("|", "/")
    return text if len(text) <= 80 else f"{text[:77]}..."


def _requests(keys: Sequence[str]) -> Iterator[bytes]:
    """Return the searches of the load benchmark, again and again."""
    searches = [one.request for one in http_load.arrivals(keys, rate=200.0, seconds=30.0) if one.kind == "search"]
    while True:
        yield from searches


def _drive(
    port: int,
    requests: Iterator[bytes],
    *,
    seconds: float | None = None,
    searches: int | None = None,
    until: Callable[[], bool] | None = None,
) -> Load:
    """Search until the time is up, enough searches are done, or the function returns true."""
    began, sent = time.perf_counter(), 0

    def supply() -> Iterator[bytes]:
        nonlocal sent
        for request in requests:
            over = seconds is not None and time.perf_counter() - began >= seconds
            if over or sent == searches or (until is not None and until()):
                return
            sent += 1
            yield request

    statuses = asyncio.run(keep_busy(supply(), port=port, in_flight=IN_FLIGHT))
    if statuses[200] < _GOOD_SHARE * statuses.total():
        raise SystemExit(f"Too many searches failed: {dict(statuses)}")
    return Load(statuses[200], time.perf_counter() - began)


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    cpu_ms = sum(results["cpu_ms"].values())
    return "\n".join(
        [
            f"{results['pages']:,} pages, {results['in_flight']} searches at a time",
            f"{results['searches_per_s']} searches per second, {cpu_ms:.1f} ms of CPU each",
            f"steal time: {results['stolen_percent']} %, other programs: {results['others_percent']} %",
            "",
            *_rows("process", "ms of CPU per search", results["cpu_ms"]),
            *_rows("web server, by part", "ms of CPU per search", results["web_cpu_ms"]),
            *_rows("Postgres, by statement", "ms of CPU per search", results["postgres_cpu_ms"]),
            *_rows("thread of a request", "ms per search", results["request_ms"]),
        ]
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _rows(name: str, unit: str, figures: dict[str, float]) -> list[str]:
    ordered = sorted(figures.items(), key=lambda one: -one[1])
    return [f"| {name} | {unit} |", "|---|---|", *(f"| {key} | {value:.2f} |" for key, value in ordered), ""]


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.load.profile", description="Profile searches under load.")
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of a run")
    parser.add_argument("--processes", type=int, help="of the web server; by default its own default")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
