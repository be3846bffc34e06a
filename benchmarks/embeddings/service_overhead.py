"""Measure the overhead of the service around a model: `python -m benchmarks.embeddings.service_overhead`

The device is simulated: a batch sleeps for 4 ms plus 2 microseconds per padded token, so that the batcher and the
formats are measured. Prints ratios and writes them to benchmarks/results/embeddings.json; exits with 1 if one misses
its target.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.config import Settings
from embeddings.contract import MultiVector, VectorSpace, pack
from embeddings.server import responses
from embeddings.server.batching import Lane
from embeddings.server.engine import EmbeddingEngine, InputTask
from embeddings.server.requests import EmbeddingRequest

RESULTS = Path(__file__).parents[1] / "results" / "embeddings.json"
BATCH_S, TOKEN_S = 0.004, 2e-6
PAGES, LONGEST, BATCH_SIZE = 1024, 1024, 8
# Concurrent clients; with a backlog, there are many inputs to choose similar ones from.
CLIENTS, BACKLOG = 16, 64
LEAST = {"efficiency": 0.95, "times_faster_than_one_by_one": 2.0}
LIMITS = {"padding_share": 0.03, "query_p95_forwards": 2.0}


class Simulated:
    """A model as fast as a device would be; `padded` and `real` count its tokens."""

    info = BackendInfo(backend="simulated", space=VectorSpace("benchmark/simulated", "1", 8))

    def __init__(self) -> None:
        self.real = self.padded = 0
        self.busy_s = 0.0
        self._row = np.eye(1, 8, dtype=np.float16)

    def load(self) -> None:
        """Do nothing."""

    def prepare(self, item: Item) -> Prepared:
        return Prepared(int(item.text or 1), int(item.text or 1))

    def collate(self, batch: Sequence[Prepared]) -> list[int]:
        return [one.tokens for one in batch]

    def encode(self, batch: list[int]) -> list[MultiVector]:
        padded = len(batch) * max(batch)
        self.real += sum(batch)
        self.padded += padded
        began = time.perf_counter()
        time.sleep(BATCH_S + TOKEN_S * padded)
        self.busy_s += time.perf_counter() - began
        return [MultiVector(self._row) for _ in batch]

    def close(self) -> None:
        """Do nothing."""


def work(backend: Simulated, tokens: int, *, lane: Lane) -> InputTask:
    return InputTask(lane, partial(backend.prepare, Item("document", text=str(tokens))))


async def started(backend: Simulated, *, batch_size: int) -> EmbeddingEngine:
    settings = Settings(
        auth="none", batch_size=batch_size, max_batch_tokens=batch_size * LONGEST, max_queue_tokens=10**9
    )
    engine = EmbeddingEngine(backend, settings=settings, self_test=False)
    engine.start()
    await engine.wait_until_loaded()
    return engine


async def ingest(lengths: Sequence[int], *, batch_size: int, clients: int) -> tuple[Simulated, float]:
    """Embed pages from many clients, eight per request; return the device and the seconds."""
    backend = Simulated()
    engine = await started(backend, batch_size=batch_size)
    requests = [lengths[start : start + 8] for start in range(0, len(lengths), 8)]

    async def client(number: int) -> None:
        for batch in requests[number::clients]:
            await engine.embed([work(backend, tokens, lane="image") for tokens in batch])

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    took = time.perf_counter() - began
    await engine.stop()
    return backend, took


async def throughput() -> dict[str, float]:
    """Measure batching against the device alone and against one page at a time."""
    rng = random.Random(7)  # noqa: S311 - the same pages every time
    lengths = [rng.randint(256, LONGEST) for _ in range(PAGES)]
    backend, took = await ingest(lengths, batch_size=BATCH_SIZE, clients=BACKLOG)
    _, took_by_few = await ingest(lengths, batch_size=BATCH_SIZE, clients=CLIENTS)
    _, one_by_one = await ingest(lengths, batch_size=1, clients=CLIENTS)
    return {
        "pages_per_s": PAGES / took,
        "efficiency": bare_s(lengths) / took,
        "device_busy_share": backend.busy_s / took,
        "padding_share": 1 - backend.real / backend.padded,
        "times_faster_than_one_by_one": one_by_one / took_by_few,
    }


def bare_s(lengths: Sequence[int]) -> float:
    """Return the seconds of the device alone for these tokens in full batches of equal lengths."""
    backend = Simulated()
    mean = sum(lengths) // len(lengths)
    began = time.perf_counter()
    for _ in range(len(lengths) // BATCH_SIZE):
        backend.encode([mean] * BATCH_SIZE)
    return time.perf_counter() - began


async def latency() -> dict[str, float]:
    """Measure queries under a constant stream of pages."""
    backend = Simulated()
    engine = await started(backend, batch_size=8)
    pages = asyncio.gather(*(engine.embed([work(backend, 768, lane="image")] * 64) for _ in range(8)))
    times = []
    for _ in range(100):
        began = time.perf_counter()
        await engine.embed([work(backend, 16, lane="text")])
        times.append(time.perf_counter() - began)
        if pages.done():
            break
    await pages
    await engine.stop()
    forward_s = BATCH_S + TOKEN_S * 8 * 768
    return {
        "query_p50_ms": 1000 * float(np.percentile(times, 50)),
        "query_p95_ms": 1000 * float(np.percentile(times, 95)),
        "query_p95_forwards": float(np.percentile(times, 95)) / forward_s,
        "queries": len(times),
    }


def formats() -> dict[str, float]:
    """Measure one page of 768 x 128 as JSON and as npz."""
    rows = np.random.default_rng(0).standard_normal((768, 128)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    page, space = MultiVector(rows.astype(np.float16)), VectorSpace("benchmark/page", "1", 128)
    order = EmbeddingRequest("image", (), "float", frozenset())
    as_json = partial(responses.embeddings_response, order, [page], space=space)
    as_npz = partial(pack, [page], input_type="image", space=space, with_layout=False)
    json_bytes, npz_bytes = len(as_json().body), len(as_npz())
    return {
        "json_kb_per_page": json_bytes / 1024,
        "npz_kb_per_page": npz_bytes / 1024,
        "json_times_larger": json_bytes / npz_bytes,
        "json_ms_per_page": best_ms(as_json),
        "npz_ms_per_page": best_ms(as_npz),
    }


def best_ms(act: Callable[[], object]) -> float:
    times = []
    for _ in range(20):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def main() -> int:
    """Measure, print and write."""
    figures = formats() | asyncio.run(throughput()) | asyncio.run(latency())
    report = {name: round(value, 3) for name, value in figures.items()}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    enough = all(figures[name] >= least for name, least in LEAST.items())
    return 0 if enough and all(figures[name] <= limit for name, limit in LIMITS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
