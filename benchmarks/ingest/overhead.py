"""Measure what ingestion costs around a model: `python -m benchmarks.ingest.overhead`.

Prints the figures and writes them to benchmarks/results/ingest.json.

A complete stack with the lexical model ingests PDFs of 500 pages, compared with `benchmarks.ingest.bare`. Both are
measured alternately, so that other load on the machine affects both. `pages_per_s` is one document, processed by one
worker process; `pages_per_s_of_all` is one document per core, and `ratio_per_core` compares that with as many
concurrent bare processes. `one_page_ratio_per_core` compares documents of one page each. CPU milliseconds do not depend
on the load.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from benchmarks.harness.parts import processor_s_of_parts
from benchmarks.harness.sample_pdf import lines, report
from benchmarks.harness.stack import Stack, descendants, peak_mb, processor_s, running, temporary_folder
from benchmarks.harness.uploads import until_ready, upload
from benchmarks.ingest.one_page_documents import count_ready, upload_all, wait_until_ready
from paliapi.env import ROOT

RESULTS = Path(__file__).parents[1] / "results" / "ingest.json"
PAGES, ROUNDS, UPLOADS = 500, 2, 20
ONE_PAGE_DOCUMENTS = 200
_FIRST_ONE_PAGE_SEED = 10_000  # their pages equal no others
# With "Page", its number and sixteen vectors of its appearance, a page has 1,030 vectors, like those of visual models.
LONG_PAGES, LONG_WORDS = 300, 1012
LEAST = {"ratio": 0.8}
LIMITS = {"stored_ratio": 1.15, "one_page_p50_s": 1.0}
_DEADLINE_S = 600.0


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, CPU seconds of every participating process including the database, and those of each part."""

    wall_s: float
    busy_s: float
    of_parts: dict[str, float] = field(default_factory=dict)


def main() -> int:
    """Measure, print and write; return 1 if a target is missed."""
    cores = len(os.sched_getaffinity(0))
    with (
        temporary_folder() as folder,
        running(folder, WORKER_PROCESSES=str(cores)) as stack,
        watching(stack) as peaks,
    ):
        figures = throughput(stack, folder, cores=cores) | one_page_documents(stack, folder, cores=cores)
        figures |= storage(stack) | latency(stack)
    figures |= {"cores": cores, "document_pages": PAGES, **peaks}
    report = {name: round(value, 3) for name, value in figures.items()}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    enough = all(figures[name] >= least for name, least in LEAST.items())
    return 0 if enough and all(figures[name] <= limit for name, limit in LIMITS.items()) else 1


def throughput(stack: Stack, folder: Path, *, cores: int) -> dict[str, float]:
    """Measure the stack and the bare process, with one document and with one per core."""
    taken: dict[str, list[Cost]] = {"bare": [], "whole": [], "bare_of_all": [], "whole_of_all": []}
    for lap in range(ROUNDS):
        # Pages must differ: a page reuses the vectors of an equal one.
        files = [folder / f"{lap}-{number}.pdf" for number in range(cores + 1)]
        for number, file in enumerate(files):
            file.write_bytes(report(PAGES, seed=1 + lap * (cores + 1) + number))
        taken["bare"].append(bare(stack, files[:1]))
        taken["whole"].append(through(stack, files[:1]))
        taken["bare_of_all"].append(bare(stack, *([file] for file in files[1:])))
        taken["whole_of_all"].append(through(stack, files[1:]))
    count = PAGES * cores
    pages = {"bare": PAGES, "whole": PAGES, "bare_of_all": count, "whole_of_all": count}
    rate = {name: pages[name] * ROUNDS / sum(one.wall_s for one in taken[name]) for name in taken}
    busy = {name: 1000 * sum(one.busy_s for one in taken[name]) / (pages[name] * ROUNDS) for name in taken}
    return {
        "pages_per_s": rate["whole"],
        "bare_pages_per_s": rate["bare"],
        "ratio": rate["whole"] / rate["bare"],
        "pages_per_s_of_all": rate["whole_of_all"],
        "bare_pages_per_s_of_all": rate["bare_of_all"],
        "ratio_per_core": rate["whole_of_all"] / rate["bare_of_all"],
        "processor_ms_per_page": busy["whole"],
        "bare_processor_ms_per_page": busy["bare"],
        **{
            f"{part}_ms_per_page": 1000 * statistics.mean(one.of_parts[part] for one in taken["whole_of_all"]) / count
            for part in taken["whole_of_all"][0].of_parts
        },
    }


def one_page_documents(stack: Stack, folder: Path, *, cores: int) -> dict[str, float]:
    """Measure documents of one page: the stack, and one bare process per core with its share of them."""
    taken: dict[str, list[Cost]] = {"one_page": [], "bare_one_page": []}
    for lap in range(ROUNDS):
        first = _FIRST_ONE_PAGE_SEED + lap * ONE_PAGE_DOCUMENTS
        numbers = range(first, first + ONE_PAGE_DOCUMENTS)
        files = [folder / f"{number}.pdf" for number in numbers]
        for number, file in zip(numbers, files, strict=True):
            file.write_bytes(report(1, seed=number))
        taken["bare_one_page"].append(bare(stack, *(files[core::cores] for core in range(cores))))
        taken["one_page"].append(_one_page_through(stack, numbers))
    count = ROUNDS * ONE_PAGE_DOCUMENTS
    rate = {name: count / sum(one.wall_s for one in costs) for name, costs in taken.items()}
    return {
        **{f"{name}_documents_per_s": value for name, value in rate.items()},
        "one_page_ratio_per_core": rate["one_page"] / rate["bare_one_page"],
        **{f"{name}_processor_ms": 1000 * sum(one.busy_s for one in costs) / count for name, costs in taken.items()},
        **{
            f"one_page_{part}_ms": 1000 * sum(one.of_parts[part] for one in taken["one_page"]) / count
            for part in taken["one_page"][0].of_parts
        },
    }


def bare(stack: Stack, *shares: list[Path]) -> Cost:
    """Run a bare process for each list of files concurrently; the slowest counts."""
    with stack.connect() as database:
        where = database.info.dsn
        began = server_busy_s(stack)
    commands = [[sys.executable, "-m", "benchmarks.ingest.bare", *map(str, files), where] for files in shares]
    running_now = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for command in commands]
    report = [[float(word) for word in process.communicate()[0].split()] for process in running_now]
    busy_s = sum(busy for _, busy in report) + server_busy_s(stack) - began
    return Cost(max(wall for wall, _ in report), busy_s)


def server_busy_s(stack: Stack) -> float:
    return processor_s(stack.pid_of("postgres"))


def through(stack: Stack, files: list[Path]) -> Cost:
    """Measure from the first upload until all are ready."""

    def ingest() -> None:
        with stack.client() as client:
            for file in files:
                upload(client, file.name, file.read_bytes())
            for file in files:
                until_ready(client, file.name, within_s=_DEADLINE_S)

    return _cost(stack, ingest)


def _one_page_through(stack: Stack, numbers: range) -> Cost:
    with stack.connect() as database:
        before = count_ready(database)

    def ingest() -> None:
        upload_all(stack, numbers)
        wait_until_ready(stack, before + len(numbers))

    return _cost(stack, ingest)


def _cost(stack: Stack, act: Callable[[], None]) -> Cost:
    began, busy, before = time.monotonic(), processor_s(stack.pid), processor_s_of_parts(stack)
    act()
    took_s, after = time.monotonic() - began, processor_s_of_parts(stack)
    of_parts = {name: seconds - before[name] for name, seconds in after.items()}
    return Cost(took_s, processor_s(stack.pid) - busy, of_parts)


def storage(stack: Stack) -> dict[str, float]:
    """Measure bytes on disk per page against its bare float16 vectors.

    `stored_ratio` includes everything the table needs for the vectors: reduced forms, TOAST chunks, headers, indexes.
    `stored_ratio_with_places` adds the words with their positions and the position of each vector, which are in the
    same table. Both are for pages as long as those of visual models. The reduced forms have a fixed size, so they weigh
    more for short pages: `stored_ratio_of_short_pages`.
    """
    with stack.client() as client:
        upload(client, "long.pdf", report(LONG_PAGES, words=LONG_WORDS))
        until_ready(client, "long.pdf", within_s=_DEADLINE_S)
    with stack.connect() as database:
        raw, bare = _measure_table(database, long=True, with_places=False)
        _, whole = _measure_table(database, long=True, with_places=True)
        short_raw, short = _measure_table(database, long=False, with_places=False)
    return {
        "raw_bytes_per_page": raw,
        "stored_bytes_per_page": bare,
        "stored_ratio": bare / raw,
        "stored_ratio_with_places": whole / raw,
        "stored_ratio_of_short_pages": short / short_raw,
    }


def _measure_table(database: "psycopg.Connection[tuple[object, ...]]", *, long: bool, with_places: bool) -> list[float]:
    """Return the bytes of a page: raw, and on disk in a table like the real one."""
    database.execute(
        "CREATE TABLE weighed (LIKE collections_app_pageembedding INCLUDING STORAGE INCLUDING INDEXES)"
        " WITH (toast_tuple_target = 4080)"
    )
    database.execute(
        "INSERT INTO weighed (page_id, owner_id, space_id, vectors, pooled, sketch, layout, words)"
        " SELECT page_id, owner_id, space_id, vectors, pooled, sketch,"
        " CASE WHEN %(places)s THEN layout END, CASE WHEN %(places)s THEN words END"
        " FROM collections_app_pageembedding WHERE (cardinality(vectors) > 1000) = %(long)s",
        {"places": with_places, "long": long},
    )
    row = database.execute(
        "SELECT sum(cardinality(vectors)::bigint * vector_dims(vectors[1]::vector) * 2) / count(*),"
        " pg_total_relation_size('weighed') / count(*) FROM weighed"
    ).fetchone()
    database.execute("DROP TABLE weighed")
    return [float(str(value)) for value in row or ()]


def latency(stack: Stack) -> dict[str, float]:
    """Measure the seconds from the start of a one-page upload until a search finds it."""
    times = []
    with stack.client() as client:
        for number in range(UPLOADS):
            word = f"unheard{number}of"
            began = time.monotonic()
            upload(client, f"{word}.pdf", lines([word]))
            while not is_found(client, word):
                if time.monotonic() - began > _DEADLINE_S:
                    raise SystemExit("A page was not is_found.")
                time.sleep(0.02)
            times.append(time.monotonic() - began)
    times.sort()
    return {"one_page_p50_s": statistics.median(times), "one_page_p95_s": times[int(0.95 * len(times))]}


def is_found(client: httpx.Client, word: str) -> bool:
    body = {"query": word, "top_k": 1, "images": "none", "collection_name": "default_collection"}
    answer = client.post("/v1/search/", json=body)
    answer.raise_for_status()
    return [hit["document_name"] for hit in answer.json()["results"]] == [f"{word}.pdf"]


@contextmanager
def watching(stack: Stack) -> Iterator[dict[str, float]]:
    """Record the peak memory of any worker process and of any rendering process."""
    peaks = {"worker_peak_mb": 0.0, "drawing_peak_mb": 0.0}
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            for pid in descendants(stack.pid_of("worker")):
                name = "drawing_peak_mb" if _is_renderer(pid) else "worker_peak_mb"
                peaks[name] = max(peaks[name], peak_mb(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def _is_renderer(pid: int) -> bool:
    try:
        return re.search(rb"rendering.fork_server", Path(f"/proc/{pid}/cmdline").read_bytes()) is not None
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
