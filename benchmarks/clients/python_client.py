"""The client for Python beside bare httpx: `python -m benchmarks.clients.python_client [--files N]`

Overhead is CPU time of a call that is answered in the same process, in alternating rounds. The bulk upload sends
one-page files to a complete stack without limits for keys, by `upload_folder` and by threads that only send, in turn.
Writes benchmarks/results/clients.json, and exits with 1 beyond what is promised. `PYTHONPATH` has the client's `src`.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from paliapi_client import AsyncClient, Client

from benchmarks.harness import stack, text_pdf
from benchmarks.harness.uploads import upload

RESULTS = Path(__file__).parents[1] / "results" / "clients.json"
MOST_OVERHEAD_MS, LEAST_RATIO = 0.3, 0.95
FILES, PARALLEL = 1000, 8
_ROUNDS, _CALLS = 15, 200
_URL, _PATH = "http://paliapi.test", "/v1/collections/reports/"
_ANSWER = {
    "id": 1,
    "name": "reports",
    "metadata": {"team": "coast"},
    "num_documents": 3,
    "vector_storage": "full",
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:00.000000Z",
}


def main(argv: Sequence[str]) -> int:
    """Measure, print and write; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the client for Python beside bare httpx.")
    parser.add_argument("--files", type=int, default=FILES)
    files = parser.parse_args(argv).files
    figures = {"overhead_ms": _overhead_ms(), "overhead_with_asyncio_ms": asyncio.run(_async_overhead_ms())}
    figures |= _bulk_upload(files)
    text = json.dumps(figures, indent=2) + "\n"
    sys.stdout.write(text)
    if files == FILES:
        RESULTS.write_text(text, encoding="utf-8")
    slow = max(figures["overhead_ms"], figures["overhead_with_asyncio_ms"]) > MOST_OVERHEAD_MS
    return int(slow or figures["upload_ratio"] < LEAST_RATIO)


def _answer(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=_ANSWER)


def _overhead_ms() -> float:
    """Return the milliseconds of CPU time that a call takes more than bare httpx and `json()`."""
    with (
        httpx.Client(base_url=_URL, transport=httpx.MockTransport(_answer)) as bare,
        httpx.Client(transport=httpx.MockTransport(_answer)) as http,
    ):
        pali = Client(_URL, "k", http_client=http)
        pairs = [
            (_ms(lambda: pali.collections.get("reports")), _ms(lambda: bare.get(_PATH).json())) for _ in range(_ROUNDS)
        ]
    return _difference(pairs)


async def _async_overhead_ms() -> float:
    async with (
        httpx.AsyncClient(base_url=_URL, transport=httpx.MockTransport(_answer)) as bare,
        httpx.AsyncClient(transport=httpx.MockTransport(_answer)) as http,
    ):
        pali = AsyncClient(_URL, "k", http_client=http)
        pairs = [
            (await _async_ms(lambda: pali.collections.get("reports")), await _async_ms(lambda: bare.get(_PATH)))
            for _ in range(_ROUNDS)
        ]
    return _difference(pairs)


def _difference(pairs: list[tuple[float, float]]) -> float:
    return round(statistics.median(ours - bare for ours, bare in pairs), 3)


def _ms(call: Callable[[], object]) -> float:
    started = time.process_time()
    for _ in range(_CALLS):
        call()
    return (time.process_time() - started) / _CALLS * 1000


async def _async_ms(call: Callable[[], Awaitable[object]]) -> float:
    started = time.process_time()
    for _ in range(_CALLS):
        await call()
    return (time.process_time() - started) / _CALLS * 1000


def _bulk_upload(files: int) -> dict[str, float]:
    """Return files per second of both, and their ratio, in an order that a drift of the machine does not favour."""
    seconds: dict[str, float] = {"bare": 0.0, "client": 0.0}
    with stack.temporary_folder() as folder:
        source = folder / "source"
        source.mkdir()
        for number in range(files):
            (source / f"{number}.pdf").write_bytes(text_pdf.write([[text_pdf.Line(f"Report {number}", 72, 760)]]))
        with stack.running(folder / "stack", QUEUE_DOCUMENTS="1000000") as running:
            _send_bare(running, source, "warm-up")
            _wait_until_idle(running)
            for number, who in enumerate(("bare", "client", "client", "bare")):
                send = _send_bare if who == "bare" else _send_client
                started = time.monotonic()
                send(running, source, f"round-{number}")
                seconds[who] += time.monotonic() - started
                _wait_until_idle(running)
    rates = {who: 2 * files / taken for who, taken in seconds.items()}
    return {
        "files": files,
        "uploads_per_s_bare": round(rates["bare"], 1),
        "uploads_per_s": round(rates["client"], 1),
        "upload_ratio": round(rates["client"] / rates["bare"], 3),
    }


def _send_bare(running: stack.Stack, source: Path, collection: str) -> None:
    with running.client() as client, ThreadPoolExecutor(PARALLEL) as pool:
        for sent in [
            pool.submit(upload, client, path.name, path.read_bytes(), collection=collection)
            for path in source.iterdir()
        ]:
            sent.result()


def _send_client(running: stack.Stack, source: Path, collection: str) -> None:
    with Client(running.url, running.key) as pali:
        pali.documents.upload_folder(source, collection_name=collection, parallel=PARALLEL).raise_for_failures()


def _wait_until_idle(running: stack.Stack) -> None:
    """Wait until everything is processed: the next round finds the machine as the first did."""
    with Client(running.url, running.key) as pali:
        while pali.jobs.progress().documents_left:
            time.sleep(0.5)  # polls; the stack's own supervision ends a run that hangs


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
