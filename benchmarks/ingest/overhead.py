"""Measure what ingestion costs around a model: `python -m benchmarks.ingest.overhead`.

Prints the figures and writes them to benchmarks/results/ingest.json.

A stack with all its processes and the lexical model takes PDFs of 500 pages. What that is compared with is said in
`benchmarks.ingest.bare`. Both are measured in turns, so that a machine that is busy with other things is so for both.
`pages_per_s` is one document, which one worker process has; `pages_per_s_of_all` is one document for each core, and
`ratio_per_core` compares that with as many bare processes at once. Processor milliseconds do not depend on the load.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from benchmarks.harness.sample_pdf import lines, report
from benchmarks.harness.stack import Stack, descendants, peak_mb, processor_s, running, temporary_folder
from benchmarks.harness.uploads import until_ready, upload
from paliapi.env import ROOT

RESULTS = Path(__file__).parents[1] / "results" / "ingest.json"
PAGES, ROUNDS, UPLOADS = 500, 2, 20
# With "Page", its number and the sixteen vectors of their looks, pages have 1,030 vectors, as those of visual models.
LONG_PAGES, LONG_WORDS = 300, 1012
LEAST = {"ratio": 0.8}
MOST = {"stored_ratio": 1.15, "one_page_p50_s": 1.0}
_DEADLINE_S = 600.0


@dataclass(frozen=True)
class Taken:
    """Seconds on the clock, and those of the processor in every process that took part, the database's included."""

    wall_s: float
    busy_s: float


def main() -> int:
    """Measure, print, write; 1 if a figure is not good enough."""
    cores = len(os.sched_getaffinity(0))
    with (
        temporary_folder() as folder,
        running(folder, WORKER_PROCESSES=str(cores)) as stack,
        watching(stack) as peaks,
    ):
        found = throughput(stack, folder, cores=cores) | storage(stack) | latency(stack)
    found |= {"cores": cores, "document_pages": PAGES, **peaks}
    told = {name: round(value, 3) for name, value in found.items()}
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    enough = all(found[name] >= least for name, least in LEAST.items())
    return 0 if enough and all(found[name] <= most for name, most in MOST.items()) else 1


def throughput(stack: Stack, folder: Path, *, cores: int) -> dict[str, float]:
    """Through the stack and bare, one document and one for each core."""
    taken: dict[str, list[Taken]] = {"bare": [], "whole": [], "bare_of_all": [], "whole_of_all": []}
    for lap in range(ROUNDS):
        # Never the same page twice: it would take over the vectors of its equal.
        files = [folder / f"{lap}-{number}.pdf" for number in range(cores + 1)]
        for number, file in enumerate(files):
            file.write_bytes(report(PAGES, seed=1 + lap * (cores + 1) + number))
        taken["bare"].append(bare(stack, files[:1]))
        taken["whole"].append(through(stack, files[:1]))
        taken["bare_of_all"].append(bare(stack, files[1:]))
        taken["whole_of_all"].append(through(stack, files[1:]))
    pages = {"bare": PAGES, "whole": PAGES, "bare_of_all": PAGES * cores, "whole_of_all": PAGES * cores}
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
    }


def bare(stack: Stack, files: list[Path]) -> Taken:
    """As many bare processes as there are files, all at once; the slowest counts."""
    with stack.connect() as database:
        where = database.info.dsn
        began = server_busy_s(stack)
    commands = [[sys.executable, "-m", "benchmarks.ingest.bare", str(file), where] for file in files]
    running_now = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for command in commands]
    told = [[float(word) for word in process.communicate()[0].split()] for process in running_now]
    busy_s = sum(busy for _, busy in told) + server_busy_s(stack) - began
    return Taken(max(wall for wall, _ in told), busy_s)


def server_busy_s(stack: Stack) -> float:
    return processor_s(stack.pid_of("postgres"))


def through(stack: Stack, files: list[Path]) -> Taken:
    """From the first upload until all are ready."""
    began, busy = time.monotonic(), processor_s(stack.pid)
    with stack.client() as client:
        for file in files:
            upload(client, file.name, file.read_bytes())
        for file in files:
            until_ready(client, file.name, within_s=_DEADLINE_S)
    return Taken(time.monotonic() - began, processor_s(stack.pid) - busy)


def storage(stack: Stack) -> dict[str, float]:
    """Bytes on disk for one page against its vectors as float16 and nothing else.

    `stored_ratio` has all that the table takes for the vectors: small forms, chunks, headers, indexes. The words of a
    page with their places, and the place of each vector, are kept in the same table; with these it is
    `stored_ratio_with_places`. Both are of pages as long as those of visual models. The small forms are as large for
    the pages of the documents before, which are shorter: `stored_ratio_of_short_pages`.
    """
    with stack.client() as client:
        upload(client, "long.pdf", report(LONG_PAGES, words=LONG_WORDS))
        until_ready(client, "long.pdf", within_s=_DEADLINE_S)
    with stack.connect() as database:
        raw, bare = _weighed(database, long=True, with_places=False)
        _, whole = _weighed(database, long=True, with_places=True)
        short_raw, short = _weighed(database, long=False, with_places=False)
    return {
        "raw_bytes_per_page": raw,
        "stored_bytes_per_page": bare,
        "stored_ratio": bare / raw,
        "stored_ratio_with_places": whole / raw,
        "stored_ratio_of_short_pages": short / short_raw,
    }


def _weighed(database: "psycopg.Connection[tuple[object, ...]]", *, long: bool, with_places: bool) -> list[float]:
    """Bytes for a page: raw, and on disk in a table like the real one."""
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
    """Seconds from the beginning of an upload of one page until a search finds it."""
    times = []
    with stack.client() as client:
        for number in range(UPLOADS):
            word = f"unheard{number}of"
            began = time.monotonic()
            upload(client, f"{word}.pdf", lines([word]))
            while not found(client, word):
                if time.monotonic() - began > _DEADLINE_S:
                    raise SystemExit("A page cannot be found.")
                time.sleep(0.02)
            times.append(time.monotonic() - began)
    times.sort()
    return {"one_page_p50_s": statistics.median(times), "one_page_p95_s": times[int(0.95 * len(times))]}


def found(client: httpx.Client, word: str) -> bool:
    asked = {"query": word, "top_k": 1, "images": "none", "collection_name": "default_collection"}
    answer = client.post("/v1/search/", json=asked)
    answer.raise_for_status()
    return [hit["document_name"] for hit in answer.json()["results"]] == [f"{word}.pdf"]


@contextmanager
def watching(stack: Stack) -> Iterator[dict[str, float]]:
    """The most memory that any worker process, and any process that draws, has had at once."""
    peaks = {"worker_peak_mb": 0.0, "drawing_peak_mb": 0.0}
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            for pid in descendants(stack.pid_of("worker")):
                name = "drawing_peak_mb" if _draws(pid) else "worker_peak_mb"
                peaks[name] = max(peaks[name], peak_mb(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def _draws(pid: int) -> bool:
    try:
        return re.search(rb"rendering.child", Path(f"/proc/{pid}/cmdline").read_bytes()) is not None
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
