"""Measure a newcomer's first hour: `make bench-first-hour`

Clones the last commit, runs `make run` there with its default settings, and measures: the time until the first search
finds the first page; a long PDF with a text layer; many PDFs of one page; scanned pages; a few searches; the peak
memory of all processes. Each part waits until the machine is quiet, and reports what disturbed it: the time stolen by
the host, the time used by other programs, and how fast one core multiplies matrices. The packages that `make run`
installs come from the caches of uv and pip if they are there. Prints the figures, and writes them to
benchmarks/results/first_hour.json if the run is complete.

`ARGS="--pages 20 --documents 20 --scans 2 --here"` tries the benchmark itself: a small run of this checkout.
"""

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks.harness import prose, quiet, text_pdf
from benchmarks.harness.memory import Memory
from benchmarks.harness.parts import processor_s_of_parts
from benchmarks.harness.stack import Stack, processor_s, temporary_folder
from benchmarks.ingest.clone import running_checkout, running_clone

RESULTS = Path(__file__).parents[1] / "results" / "first_hour.json"
PAGES, DOCUMENTS, SCANS, SEARCHES = 300, 1000, 50, 50
SCANNED_WORDS = 400
# (at least, at most) for the default model; an English model has its own.
TARGETS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "default": {"pages_per_s": (9, 1e9), "documents_per_s": (10, 1e9), "scanned_page_cpu_s": (0, 1.7)},
    "english": {"pages_per_s": (15, 1e9), "documents_per_s": (10, 1e9), "scanned_page_cpu_s": (0, 1.7)},
}
LIMITS = {"peak_memory_mb": 2500.0, "first_result_s": 60.0}
_CONNECTIONS = 4
_DEADLINE_S = 3600.0
_PATIENCE_S = 20.0
_COLLECTION = "default_collection"


def main(argv: Sequence[str]) -> int:
    """Measure, print and write; return 1 if a target is missed."""
    arguments = _arguments(argv)
    settings = dict(one.split("=", 1) for one in arguments.set)
    figures: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "settings": settings}
    with temporary_folder() as folder:
        patience_s = 1.0 if arguments.here else _PATIENCE_S
        quiet.wait_until_quiet(within_s=patience_s)
        began = time.monotonic()
        start = running_checkout if arguments.here else running_clone
        with start(folder, settings) as stack, Memory({"all": stack.pid}) as memory:
            figures["ready_s"] = round(time.monotonic() - began, 1)
            _first_result(stack)
            figures["first_result_s"] = round(time.monotonic() - began, 1)
            figures["model"] = _model(stack)
            figures |= _measured(stack, "long", patience_s, lambda: _long_pdf(stack, arguments.pages))
            figures |= _measured(stack, "short", patience_s, lambda: _short_pdfs(stack, arguments.documents))
            figures |= _measured(stack, "scans", patience_s, lambda: _scans(stack, arguments.scans))
            figures |= _measured(stack, "searches", patience_s, lambda: _searches(stack))
            figures["peak_memory_mb"] = memory.megabytes()["all"]
    complete = not arguments.here and (arguments.pages, arguments.documents, arguments.scans) == (
        PAGES,
        DOCUMENTS,
        SCANS,
    )
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    if complete:
        _write(arguments.name, figures)
    missed = _missed(arguments.name, figures) if complete else []
    sys.stdout.write("".join(f"missed: {name}\n" for name in missed))
    return 1 if missed else 0


def _measured(stack: Stack, name: str, patience_s: float, act: Callable[[], Mapping[str, float]]) -> dict[str, float]:
    """Return the figures of a part, and under its name what disturbed it."""
    is_quiet = quiet.wait_until_quiet(within_s=patience_s)
    speed = quiet.gigaflops()
    busy, of_parts = processor_s(stack.pid) + time.process_time(), processor_s_of_parts(stack)
    with quiet.noise() as around:
        figures = act()
    ours = processor_s(stack.pid) + time.process_time() - busy
    return {
        **figures,
        f"{name}_cpu_s": round(ours, 1),
        **{
            f"{name}_{part}_cpu_s": round(seconds - of_parts[part], 1)
            for part, seconds in processor_s_of_parts(stack).items()
        },
        f"{name}_stolen_percent": around.stolen_percent,
        f"{name}_others_percent": around.others_percent(ours),
        f"{name}_gigaflops": speed,
        f"{name}_was_quiet": float(is_quiet),
    }


def _first_result(stack: Stack) -> None:
    word = "lighthouse"
    line = text_pdf.Line(f"The keeper of the {word} counts the ships at night.", 60, 760)
    with stack.client() as client:
        _upload(client, "first.pdf", text_pdf.write([[line]]))
        until = time.monotonic() + _DEADLINE_S
        while not _found(client, f"Who works in a {word}?"):
            if time.monotonic() > until:
                raise SystemExit("The first page is not found.")
            time.sleep(0.05)  # polling, within the deadline above


def _long_pdf(stack: Stack, pages: int) -> dict[str, float]:
    """Measure one PDF with a text layer."""
    content = text_pdf.write(prose.pages(pages, seed=1))
    seconds, _ = _ingested(stack, {"long.pdf": content})
    return {"pages": pages, "pages_per_s": round(pages / seconds, 2)}


def _short_pdfs(stack: Stack, documents: int) -> dict[str, float]:
    """Measure PDFs of one page each."""
    files = {f"{number}.pdf": text_pdf.write([page]) for number, page in enumerate(prose.pages(documents, seed=2))}
    seconds, refused = _ingested(stack, files)
    return {"documents": documents, "documents_per_s": round(documents / seconds, 2), "uploads_refused": refused}


def _scans(stack: Stack, pages: int) -> dict[str, float]:
    """Measure one PDF of scanned pages."""
    content = prose.scanned(pages, seed=3, words=SCANNED_WORDS)
    busy = processor_s(stack.pid)
    seconds, _ = _ingested(stack, {"scans.pdf": content})
    busy = processor_s(stack.pid) - busy
    return {
        "scanned_pages": pages,
        "scanned_page_cpu_s": round(busy / pages, 3),
        "scanned_pages_per_s": round(pages / seconds, 2),
    }


def _searches(stack: Stack) -> dict[str, float]:
    """Search for sentences; the query's stage is the embedding of the query."""
    totals, queries = [], []
    with stack.client() as client:
        for text in prose.sentences()[:: max(len(prose.sentences()) // SEARCHES, 1)][:SEARCHES]:
            began = time.perf_counter()
            answer = client.post("/v1/search/", json=_body(" ".join(text.split()[:10])))
            totals.append(1000 * (time.perf_counter() - began))
            stages = dict(one.strip().split(";dur=") for one in answer.headers["Server-Timing"].split(","))
            queries.append(float(stages["query"]))
    return {
        "search_p50_ms": round(statistics.median(totals), 1),
        "query_embedding_p50_ms": round(statistics.median(queries), 1),
    }


def _ingested(stack: Stack, files: Mapping[str, bytes]) -> tuple[float, int]:
    """Upload the files and wait until all are ready; return the seconds, and how often an upload had to be repeated."""
    refused = 0
    lock = threading.Lock()

    def send(name: str) -> None:
        nonlocal refused
        again = _upload(client, name, files[name])
        with lock:
            refused += again

    with stack.connect() as database:  # one connection, because the start of each takes CPU time
        began = time.monotonic()
        before = _ready(database)
        with stack.client() as client, ThreadPoolExecutor(_CONNECTIONS) as senders:
            list(senders.map(send, files))
        while (done := _ready(database) - before) < len(files):
            if time.monotonic() > began + _DEADLINE_S:
                raise SystemExit(f"{done} of {len(files)} documents are ready.")
            time.sleep(0.1)  # polling, within the deadline above
        return time.monotonic() - began, refused


def _ready(database: "psycopg.Connection[tuple[object, ...]]") -> int:
    """Return the number of documents that are ready; stop if one has failed."""
    rows = database.execute("SELECT status, count(*) FROM collections_app_revision GROUP BY status").fetchall()
    counts = {str(status): int(str(count)) for status, count in rows}
    if counts.get("failed"):
        raise SystemExit(f"{counts['failed']} documents have failed.")
    return counts.get("ready", 0)


def _upload(client: httpx.Client, name: str, content: bytes) -> int:
    """Upload a document, and repeat it while it is refused; return how often it was."""
    refused = 0
    while True:
        answer = client.post(
            "/v1/documents/upsert-document/",
            data={"name": name, "collection_name": _COLLECTION},
            files={"file": (name, content, "application/pdf")},
        )
        if answer.status_code not in (429, 503):
            answer.raise_for_status()
            return refused
        refused += 1
        time.sleep(float(answer.headers.get("Retry-After", 1)))


def _found(client: httpx.Client, query: str) -> bool:
    answer = client.post("/v1/search/", json=_body(query))
    return answer.is_success and bool(answer.json()["results"])


def _body(query: str) -> dict[str, Any]:
    return {"query": query, "top_k": 10, "images": "none", "collection_name": _COLLECTION}


def _model(stack: Stack) -> str:
    with stack.connect() as database:
        row = database.execute("SELECT model FROM collections_app_space ORDER BY id DESC LIMIT 1").fetchone()
    return str(row[0]) if row else ""


def _missed(name: str, figures: Mapping[str, Any]) -> list[str]:
    targets = {**TARGETS[name], **{limit: (0.0, most) for limit, most in LIMITS.items()}}
    return [one for one, (least, most) in targets.items() if not least <= figures[one] <= most]


def _write(name: str, figures: Mapping[str, Any]) -> None:
    every = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    RESULTS.write_text(json.dumps(every | {name: figures}, indent=2) + "\n", encoding="utf-8")


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the results as Markdown."""
    names = list(results)
    figures = [one for one in results[names[0]] if one not in ("settings", "model")]
    lines = ["| figure | " + " | ".join(f"`{results[name]['model']}`" for name in names) + " |"]
    lines += ["|---" * (1 + len(names)) + "|"]
    for one in figures:
        values = [results[name].get(one) for name in names]
        lines += [f"| `{one}` | " + " | ".join("" if value is None else f"{value:,}" for value in values) + " |"]
    return "\n".join(lines) + "\n"


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.ingest.first_hour", description="Measure the first hour.")
    parser.add_argument("--pages", type=int, default=PAGES, help="of the long PDF")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="of one page each")
    parser.add_argument("--scans", type=int, default=SCANS, help="scanned pages")
    parser.add_argument("--here", action="store_true", help="run this checkout as it is, instead of a clone")
    parser.add_argument("--name", choices=list(TARGETS), default="default", help="the key of the results")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of `make run`")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
