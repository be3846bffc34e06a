"""Measure how busy ingestion keeps a fast embeddings service: `python -m benchmarks.ingest.one_page_documents [COUNT]`

A thousand documents of one page are uploaded to a complete stack with two worker processes, whose workers are stopped
meanwhile. Then they continue, with a service that takes 200 ms for up to eight pages
(`benchmarks.ingest.slow_service`).
`service_busy` is the share of the time from its first to its last page in which it computes. The CPU milliseconds per
document are those of every process of the part.

Prints the figures and writes them to benchmarks/results/one_page_documents.json.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from benchmarks.harness.parts import processor_s_of_parts
from benchmarks.harness.sample_pdf import report
from benchmarks.harness.stack import Stack, running, temporary_folder
from benchmarks.harness.steal_time import Stolen
from benchmarks.harness.uploads import upload
from paliapi.env import ROOT
from paliapi.stack import processes
from paliapi.stack.listen import free_port

RESULTS = Path(__file__).parents[1] / "results" / "one_page_documents.json"
DOCUMENTS = 1000
LEAST_BUSY = 0.9
_CLIENTS = 4
_DEADLINE_S = 1800.0
_POLL_S = 0.2
_READY = "SELECT count(*) FROM collections_app_document WHERE shown_id IS NOT NULL"


def main() -> int:
    """Measure, print and write; return 1 if the service waits too long."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS
    with (
        temporary_folder() as folder,
        slow_service() as url,
        running(folder, EMBEDDINGS_URL=url, WORKER_PROCESSES="2", MAX_CONCURRENT_UPLOADS="64") as stack,
    ):
        figures = ingest(stack, count)
        figures |= httpx.get(f"{url}/figures").raise_for_status().json()
    rounded = {name: round(value, 3) for name, value in figures.items()}
    sys.stdout.write(json.dumps(rounded, indent=2) + "\n")
    if count == DOCUMENTS:
        RESULTS.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
    return 0 if figures["service_busy"] >= LEAST_BUSY else 1


@contextmanager
def slow_service() -> Iterator[str]:
    """Start the service and yield its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.ingest.slow_service", str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        if not processes.wait_until(lambda: _is_up(url), within_s=30):
            raise SystemExit("The service did not start.")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/figures").is_success
    except httpx.TransportError:
        return False


def ingest(stack: Stack, count: int) -> dict[str, float]:
    """Upload the documents, then measure from the start of the workers until all are ready."""
    worker = stack.pid_of("worker")
    processes.signal_group(worker, signal.SIGSTOP)
    before = processor_s_of_parts(stack)
    began = time.monotonic()
    upload_all(stack, range(count))
    upload_s = time.monotonic() - began
    uploaded = processor_s_of_parts(stack)
    stolen = Stolen()
    began = time.monotonic()
    processes.signal_group(worker, signal.SIGCONT)
    wait_until_ready(stack, count)
    took_s = time.monotonic() - began
    after = processor_s_of_parts(stack)
    return {
        "documents": count,
        "uploads_per_s": count / upload_s,
        "upload_cpu_ms": 1000 * (sum(uploaded.values()) - sum(before.values())) / count,
        "documents_per_s": count / took_s,
        "stolen": stolen.share(),
        **{f"{name}_cpu_ms": 1000 * (after[name] - uploaded[name]) / count for name in after},
    }


def upload_all(stack: Stack, numbers: range) -> None:
    """Upload a document for each number, from several clients."""
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(lambda first: upload_each(stack, numbers[first::_CLIENTS]), range(_CLIENTS)))


def upload_each(stack: Stack, numbers: range) -> None:
    with stack.client() as client:
        for number in numbers:
            upload(client, f"{number}.pdf", report(1, seed=number))


def count_ready(database: "psycopg.Connection[tuple[object, ...]]") -> int:
    return int(str((database.execute(_READY).fetchone() or (0,))[0]))


def wait_until_ready(stack: Stack, count: int) -> None:
    """Wait until so many documents are shown, with one connection, whose queries cost almost nothing."""
    until = time.monotonic() + _DEADLINE_S
    with stack.connect() as database:
        while count_ready(database) < count:
            if time.monotonic() > until:
                raise SystemExit("The documents did not become ready.")
            time.sleep(_POLL_S)


if __name__ == "__main__":
    sys.exit(main())
