"""Takes work in, prepares it on many threads, has it computed on one, and knows in what state all this is."""

import asyncio
import logging
import math
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from embeddings.backends.base import Backend, BackendInfo, Prepared, State
from embeddings.config import Settings
from embeddings.contract import MultiVector
from embeddings.errors import NotReady, QueueFull, RequestError, RequestTimedOut
from embeddings.server import self_test
from embeddings.server.batching import Lane
from embeddings.server.compute import Compute
from embeddings.server.metrics import Metrics

log = logging.getLogger(__name__)
T = TypeVar("T")

# What an input is thought to cost until it is prepared: of an image up to 768 of pixels, and the prompt around them.
_GUESSED_TOKENS: dict[Lane, int] = {"text": 32, "image": 800}
_TEXT_THREADS = 2


@dataclass(frozen=True, slots=True)
class InputTask:
    """One input: `make` prepares it, on any thread."""

    lane: Lane
    make: Callable[[], Prepared]


class EmbeddingEngine:
    """Lives on one event loop."""

    def __init__(self, backend: Backend, *, settings: Settings, self_test: bool = True) -> None:
        self.backend = backend
        self.state: State = "loading"
        self.metrics = Metrics()
        self.pending_tokens = 0
        self._settings = settings
        self._self_test = self_test
        self._image_threads = settings.prepare_threads or os.cpu_count() or 1
        self._preparing: dict[Lane, ThreadPoolExecutor] = {
            "text": ThreadPoolExecutor(_TEXT_THREADS, thread_name_prefix="text"),
            "image": ThreadPoolExecutor(self._image_threads, thread_name_prefix="image"),
        }
        self._compute = Compute(
            backend,
            batch_size=settings.batch_size,
            budget=settings.max_batch_tokens or settings.batch_size * _GUESSED_TOKENS["image"],
            metrics=self.metrics,
            lost=self._fail,
        )
        self._loading: asyncio.Task[None] | None = None
        self._room = asyncio.Condition()
        self._tokens_per_s = 0.0

    @property
    def info(self) -> BackendInfo:
        return self.backend.info

    @property
    def stuck(self) -> bool:
        """Has one batch been on the device for longer than any request may take, or has a thread died?"""
        since = self._compute.running_since
        too_long = since is not None and time.monotonic() - since > self._settings.timeout_s
        return too_long or (self.state == "ready" and not self._compute.alive)

    def start(self) -> None:
        """Begin to load; `state` tells when it is done."""
        self._loading = asyncio.create_task(self._load())

    async def wait_until_loaded(self) -> None:
        """Return when loading has ended; `state` tells how."""
        if self._loading is not None:
            await asyncio.wait([self._loading])

    async def _load(self) -> None:
        loaded: Future[None] = Future()
        # A daemon, so that a process that is told to stop does not wait for weights.
        threading.Thread(target=self._load_and_prove, args=(loaded,), name="load", daemon=True).start()
        try:
            await asyncio.wrap_future(loaded)
        except Exception:
            log.exception("The model cannot be used.")
            self.state = "failed"
        else:
            self._compute.start()
            self.state = "ready" if self.state == "loading" else self.state
            self._announce()

    def _load_and_prove(self, loaded: Future[None]) -> None:
        loaded.set_running_or_notify_cancel()
        try:
            self.backend.load()
            if self._self_test:
                self_test.prove(self.backend)
        except Exception as problem:
            loaded.set_exception(problem)
        else:
            loaded.set_result(None)

    def _announce(self) -> None:
        info = self.info
        self.metrics.ready.set(1)
        told = (info.backend, info.space.model, info.space.revision, str(info.space.dim), info.device)
        self.metrics.model.labels(*told).set(1)
        log.info("Ready: %s, %s at %s, %d dimensions, on %s.", *told[:3], info.space.dim, info.device)
        for warning in info.warnings:
            log.warning("%s", warning)

    def _fail(self) -> None:
        self.state = "failed"
        self.metrics.ready.set(0)

    async def check_open(self, *, hold: bool = False) -> None:
        """Raise NotReady unless work is taken; with `hold`, wait for the model first."""
        if hold and self.state == "loading" and self._loading is not None:
            await asyncio.wait([self._loading], timeout=self._settings.timeout_s)
        if self.state != "ready":
            raise NotReady(f"The model is {self.state}.", retry_after_s=5)

    async def prepare(self, work: Callable[[], T], *, lane: Lane = "image") -> T:
        """Do something on the threads for preparation."""
        return await asyncio.get_running_loop().run_in_executor(self._preparing[lane], work)

    async def embed(self, works: Sequence[InputTask], *, hold: bool = False) -> list[MultiVector]:
        """One multi-vector for each, in order. With `hold`, wait for room instead of raising QueueFull."""
        guessed = sum(_GUESSED_TOKENS[work.lane] for work in works)
        # A few at a time, so that a large request does not stand before everybody else's.
        gate = asyncio.Semaphore(self._image_threads + 1)
        try:
            async with (
                asyncio.timeout(self._settings.timeout_s),
                self._admitted(guessed, hold=hold),
                asyncio.TaskGroup() as group,
            ):
                numbered = enumerate(works)
                each = [group.create_task(self._one(work, index=index, gate=gate)) for index, work in numbered]
        except TimeoutError:
            raise RequestTimedOut(f"The work was not done in {self._settings.timeout_s} s.", retry_after_s=30) from None
        except BaseExceptionGroup as problems:
            raise problems.exceptions[0] from None
        return [one.result() for one in each]

    async def _one(self, work: InputTask, *, index: int, gate: asyncio.Semaphore) -> MultiVector:
        lane = work.lane
        self.metrics.queue_items.inc()
        try:
            async with gate:
                submitted = await self._submitted(work)
            embedded = await asyncio.wrap_future(submitted)
        except RequestError as problem:
            raise problem.at(index) from problem
        finally:
            self.metrics.queue_items.dec()
        self.metrics.inputs.labels(lane).inc()
        return embedded

    async def _submitted(self, work: InputTask) -> Future[MultiVector]:
        self._compute.expect(work.lane, 1)
        began = time.monotonic()
        try:
            prepared = await self.prepare(work.make, lane=work.lane)
            return self._compute.submit(prepared, lane=work.lane)
        finally:
            self.metrics.prepare_seconds.labels(work.lane).observe(time.monotonic() - began)
            self._compute.expect(work.lane, -1)

    @asynccontextmanager
    async def _admitted(self, tokens: int, *, hold: bool) -> AsyncIterator[None]:
        """Room in the queue for so many tokens. An empty queue has room for anything."""
        async with self._room:
            if hold:
                await self._room.wait_for(lambda: self._fits(tokens))
            elif not self._fits(tokens):
                raise QueueFull(retry_after_s=self._until_room_s())
            self._pend(tokens)
        began = time.monotonic()
        try:
            yield
            speed = tokens / max(time.monotonic() - began, 1e-3)
            self._tokens_per_s += 0.2 * (speed - self._tokens_per_s) if self._tokens_per_s else speed
        finally:
            async with self._room:
                self._pend(-tokens)
                self._room.notify_all()

    def _fits(self, tokens: int) -> bool:
        return self.pending_tokens == 0 or self.pending_tokens + tokens <= self._settings.max_queue_tokens

    def _pend(self, tokens: int) -> None:
        self.pending_tokens += tokens
        self.metrics.queue_tokens.set(self.pending_tokens)

    def _until_room_s(self) -> int:
        return min(max(math.ceil(self.pending_tokens / max(self._tokens_per_s, 1.0)), 1), 60)

    def drain(self) -> None:
        """Take no more work; what was accepted is finished."""
        if self.state in ("loading", "ready"):
            self.state = "draining"
            self.metrics.ready.set(0)

    async def stop(self) -> None:
        """Finish, and give everything back."""
        self.drain()
        if self._loading is not None:
            self._loading.cancel()
        await asyncio.to_thread(self._compute.stop)
        await asyncio.to_thread(self.backend.close)
        for threads in self._preparing.values():
            threads.shutdown(wait=False, cancel_futures=True)
