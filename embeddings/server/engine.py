"""The engine: admits inputs, prepares them on many threads, has them computed, and knows the service's state."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

from embeddings.backends.base import Backend, BackendInfo, BatchModel, Prepared, Reranker
from embeddings.config import Settings
from embeddings.contract import MultiVector
from embeddings.errors import NotReady, RequestError, RequestTimedOut
from embeddings.server import self_test
from embeddings.server.admission import Admission
from embeddings.server.batching import Lane
from embeddings.server.compute import Compute
from embeddings.server.metrics import Metrics

log = logging.getLogger(__name__)
T = TypeVar("T")

State = Literal["loading", "ready", "draining", "failed"]

# The assumed cost of an input before it is prepared. For an image: up to 768 visual tokens, and the prompt.
_ESTIMATED_TOKENS: dict[Lane, int] = {"text": 32, "image": 800, "pair": 512}
_TEXT_THREADS = 2


@dataclass(frozen=True, slots=True)
class InputTask:
    """One input to embed, or one pair to score; `prepare` may be called on any thread.

    `tokens` is its cost, if it is known before; `index` its position in the request, if not that among the tasks.
    """

    lane: Lane
    prepare: Callable[[], Prepared]
    tokens: int | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class _Queue:
    """The queue of one model."""

    compute: Compute
    admission: Admission


class EmbeddingEngine:
    """Runs one backend, and a reranker if there is one. Belongs to one event loop."""

    def __init__(
        self, backend: Backend, *, settings: Settings, reranker: Reranker | None = None, self_test: bool = True
    ) -> None:
        self.backend = backend
        self.reranker = reranker
        self.state: State = "loading"
        self.metrics = Metrics()
        self._settings = settings
        self._self_test = self_test
        self._image_threads = settings.prepare_threads or os.cpu_count() or 1
        self._pools: dict[Lane, ThreadPoolExecutor] = {
            "text": ThreadPoolExecutor(_TEXT_THREADS, thread_name_prefix="text"),
            "image": ThreadPoolExecutor(self._image_threads, thread_name_prefix="image"),
            "pair": ThreadPoolExecutor(_TEXT_THREADS, thread_name_prefix="pair"),
        }
        # Each model has a queue of its own, so that queries do not wait for pairs.
        embedding = self._queue(backend)
        self._queues: dict[Lane, _Queue] = {"text": embedding, "image": embedding}
        self._computes = [embedding.compute]
        if reranker is not None:
            self._queues["pair"] = self._queue(reranker, only_pairs=True)
            self._computes.append(self._queues["pair"].compute)
        self._loading: asyncio.Task[None] | None = None

    def _queue(self, model: BatchModel, *, only_pairs: bool = False) -> _Queue:
        settings = self._settings
        compute = Compute(
            model,
            batch_size=settings.batch_size,
            budget=settings.max_batch_tokens or settings.batch_size * _ESTIMATED_TOKENS["image"],
            metrics=self.metrics,
            on_device_lost=self._fail,
            only_pairs=only_pairs,
        )
        return _Queue(compute, Admission(max_tokens=settings.max_queue_tokens, gauge=self.metrics.queue_tokens))

    @property
    def info(self) -> BackendInfo:
        return self.backend.info

    @property
    def stuck(self) -> bool:
        """True if a batch has run for longer than a request may take, or a thread has died."""
        limit = time.monotonic() - self._settings.timeout_s
        timed_out = any((compute.running_since or limit) < limit for compute in self._computes)
        return timed_out or (self.state == "ready" and not all(compute.alive for compute in self._computes))

    def start(self) -> None:
        """Begin to load the model; `state` changes when that ends."""
        self._loading = asyncio.create_task(self._load())

    async def wait_until_loaded(self) -> None:
        """Wait until loading has ended, successfully or not."""
        if self._loading is not None:
            await asyncio.wait([self._loading])

    async def _load(self) -> None:
        loaded: Future[None] = Future()
        # A daemon thread, so that a process that should stop does not wait for weights.
        threading.Thread(target=self._load_and_test, args=(loaded,), name="load", daemon=True).start()
        try:
            await asyncio.wrap_future(loaded)
        except Exception:
            log.exception("The model cannot be used.")
            self.state = "failed"
        else:
            for compute in self._computes:
                compute.start()
            self.state = "ready" if self.state == "loading" else self.state
            self._report_ready()

    def _load_and_test(self, loaded: Future[None]) -> None:
        loaded.set_running_or_notify_cancel()
        try:
            self.backend.load()
            if self._self_test:
                self_test.run(self.backend)
            if self.reranker is not None:
                self.reranker.load()
                if self._self_test:
                    self_test.run_reranker(self.reranker)
        except Exception as error:
            loaded.set_exception(error)
        else:
            loaded.set_result(None)

    def _report_ready(self) -> None:
        self.metrics.ready.set(1)
        for info in [self.info, *([self.reranker.info] if self.reranker else [])]:
            space = info.space
            self.metrics.model.labels(info.backend, space.model, space.revision, str(space.dim), info.device).set(1)
            log.info(
                "Ready: %s, %s at %s, %d dimensions, on %s.",
                info.backend,
                space.model,
                space.revision,
                space.dim,
                info.device,
            )
            for warning in info.warnings:
                log.warning("%s", warning)

    def _fail(self) -> None:
        self.state = "failed"
        self.metrics.ready.set(0)

    async def check_accepting(self, *, wait: bool = False) -> None:
        """Raise NotReady unless requests are accepted; with `wait`, wait for the model first."""
        if wait and self.state == "loading" and self._loading is not None:
            await asyncio.wait([self._loading], timeout=self._settings.timeout_s)
        if self.state != "ready":
            raise NotReady(f"The model is {self.state}.", retry_after_s=5)

    async def run_in_pool(self, work: Callable[[], T], *, lane: Lane = "image") -> T:
        """Call a function on one of the preparation threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pools[lane], work)

    async def embed(self, tasks: Sequence[InputTask], *, wait: bool = False) -> list[MultiVector]:
        """Return one multi-vector for each task, in order. Without `wait`, raise QueueFull instead of waiting.

        All tasks belong to the same model.
        """
        estimated = sum(task.tokens or _ESTIMATED_TOKENS[task.lane] for task in tasks)
        queue = self._queues[tasks[0].lane if tasks else "text"]
        # Limit the concurrency of one request, so that a large one does not block all others.
        limiter = asyncio.Semaphore(self._image_threads + 1)
        try:
            async with (
                asyncio.timeout(self._settings.timeout_s),
                queue.admission.hold(estimated, wait=wait),
                asyncio.TaskGroup() as group,
            ):
                results = [
                    group.create_task(self._embed_one(task, queue.compute, index=index, limiter=limiter))
                    for index, task in enumerate(tasks)
                ]
        except TimeoutError:
            raise RequestTimedOut(
                f"The work was not finished within {self._settings.timeout_s} s.", retry_after_s=30
            ) from None
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [result.result() for result in results]

    async def _embed_one(
        self, task: InputTask, compute: Compute, *, index: int, limiter: asyncio.Semaphore
    ) -> MultiVector:
        self.metrics.queue_items.inc()
        try:
            async with limiter:
                submitted = await self._prepare_and_submit(task, compute)
            multi_vector = await asyncio.wrap_future(submitted)
        except RequestError as error:
            raise error.at(index if task.index is None else task.index) from error
        finally:
            self.metrics.queue_items.dec()
        self.metrics.inputs.labels(task.lane).inc()
        return multi_vector

    async def _prepare_and_submit(self, task: InputTask, compute: Compute) -> Future[MultiVector]:
        compute.expect(task.lane, 1)
        began = time.monotonic()
        try:
            prepared = await self.run_in_pool(task.prepare, lane=task.lane)
            return compute.submit(prepared, lane=task.lane)
        finally:
            self.metrics.prepare_seconds.labels(task.lane).observe(time.monotonic() - began)
            compute.expect(task.lane, -1)

    def drain(self) -> None:
        """Accept no more requests; finish those already accepted."""
        if self.state in ("loading", "ready"):
            self.state = "draining"
            self.metrics.ready.set(0)

    async def stop(self) -> None:
        """Finish accepted work and release all resources."""
        self.drain()
        if self._loading is not None:
            self._loading.cancel()
        for compute in self._computes:
            await asyncio.to_thread(compute.stop)
            await asyncio.to_thread(compute.backend.close)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
