"""The compute thread, and beside it one that lays out the next batch of images and one that hands out results."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from embeddings.backends.base import Backend, DeviceLost, OutOfMemory, Prepared
from embeddings.contract import MultiVector
from embeddings.errors import EmbeddingFailed, RequestError
from embeddings.server.batching import Lane, Waiting, choose, padded
from embeddings.server.metrics import Metrics

log = logging.getLogger(__name__)

# How long a batch that is not full waits for inputs that are on their way, while the device has nothing to do.
_WAIT_S: dict[Lane, float] = {"text": 0.002, "image": 0.008}
# After so many batches of texts in a row it is the images' turn, however many texts wait.
_PATIENCE = 8


class Compute:
    """Texts go before images. Only the compute thread talks to the device."""

    def __init__(
        self, backend: Backend, *, batch_size: int, budget: int, metrics: Metrics, lost: Callable[[], None]
    ) -> None:
        self.backend = backend
        self.batch_size = batch_size
        self.budget = budget
        self.running_since: float | None = None
        self._metrics = metrics
        self._lost = lost
        self._lock = threading.Lock()
        self._to_compute = threading.Condition(self._lock)
        self._to_lay_out = threading.Condition(self._lock)
        self._lanes: dict[Lane, list[Waiting]] = {"text": [], "image": []}
        self._expected: dict[Lane, int] = {"text": 0, "image": 0}
        self._laid_out: tuple[list[Waiting], Any] | None = None
        self._laying_out = False
        self._stopping = False
        # Whatever the compute thread does besides computing leaves the device idle.
        self._finished: queue.SimpleQueue[tuple[Sequence[Waiting], Sequence[MultiVector], float] | None]
        self._finished = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("compute", self._compute), ("lay-out", self._lay_out), ("hand-out", self._hand_out))
        ]
        metrics.budget_tokens.set(budget)

    @property
    def alive(self) -> bool:
        """Are the threads that were started still there?"""
        return all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Begin to compute what is submitted."""
        for thread in self._threads:
            thread.start()

    def expect(self, lane: Lane, count: int) -> None:
        """So many more inputs (or fewer, if negative) are being prepared for this lane."""
        with self._lock:
            self._expected[lane] += count
            if count < 0:
                self._wake(lane)

    def submit(self, prepared: Prepared, *, lane: Lane) -> Future[MultiVector]:
        """Put an input in its lane. Cancelling the future before its batch begins drops it."""
        done: Future[MultiVector] = Future()
        with self._lock:
            self._lanes[lane].append(Waiting(prepared, time.monotonic(), done))
            self._wake(lane)
        return done

    def _wake(self, lane: Lane) -> None:
        """Something has changed for whoever takes from this lane. Call with the lock."""
        (self._to_compute if lane == "text" else self._to_lay_out).notify()

    def stop(self) -> None:
        """Finish what was submitted, then end the threads."""
        with self._lock:
            self._stopping = True
            self._to_compute.notify()
            self._to_lay_out.notify()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _compute(self) -> None:
        texts_in_a_row = 0
        while True:
            with self._lock:
                self.running_since = None
                while (found := self._next(texts_in_a_row)) is None:
                    if self._stopping and not self._left():
                        self._finished.put(None)
                        return
                    self._to_lay_out.notify()
                    self._to_compute.wait(_WAIT_S["text"] if self._lanes["text"] else None)
                batch, laid_out = found
                texts_in_a_row = texts_in_a_row + 1 if laid_out is None else 0
                self.running_since = time.monotonic()
                self._to_lay_out.notify()
            self._run(batch, laid_out)

    def _next(self, texts_in_a_row: int) -> tuple[list[Waiting], Any] | None:
        """A batch to compute now, if there is one. Call with the lock."""
        images_turn = self._laid_out is not None and texts_in_a_row >= _PATIENCE
        if not images_turn and self._lanes["text"]:
            if not self._due("text"):
                return None
            if batch := self._take("text"):
                return batch, None
        found, self._laid_out = self._laid_out, None
        return found

    def _left(self) -> bool:
        """Is anything to be done still? Call with the lock."""
        return self._laying_out or self._laid_out is not None or any(self._lanes.values())

    def _lay_out(self) -> None:
        while True:
            with self._lock:
                # With the device busy there is time to wait until the batch is full.
                while self._laid_out is not None or not self._due("image", eager=self.running_since is None):
                    if self._stopping and not self._lanes["image"]:
                        return
                    waits = self._lanes["image"] and self._laid_out is None and self.running_since is None
                    self._to_lay_out.wait(_WAIT_S["image"] if waits else None)
                batch = self._take("image")
                self._laying_out = True
            laid_out = self._collated(batch) if batch else None
            with self._lock:
                self._laying_out = False
                self._laid_out = (batch, laid_out) if batch else None
                self._to_compute.notify()

    def _due(self, lane: Lane, *, eager: bool = True) -> bool:
        """Should a batch be taken now? Call with the lock."""
        waiting = self._lanes[lane]
        if not waiting:
            return False
        if len(waiting) >= self.batch_size or sum(one.tokens for one in waiting) >= self.budget:
            return True
        old = time.monotonic() - waiting[0].since >= _WAIT_S[lane]
        return eager and (old or self._stopping or self._expected[lane] <= 0)

    def _take(self, lane: Lane) -> list[Waiting]:
        """The next batch of a lane, without those that nobody waits for any more. Call with the lock."""
        waiting = self._lanes[lane]
        gone = [one for one in waiting if one.done.cancelled()]
        self._metrics.dropped.inc(len(gone))
        waiting = [one for one in waiting if not one.done.cancelled()]
        batch = choose(waiting, budget=self.budget, most=self.batch_size) if waiting else []
        self._lanes[lane] = [one for one in waiting if one not in batch]
        now = time.monotonic()
        for one in batch:
            self._metrics.queue_wait_seconds.labels(lane).observe(now - one.since)
        return [one for one in batch if one.done.set_running_or_notify_cancel()]

    def _collated(self, batch: Sequence[Waiting]) -> Any:
        try:
            return self.backend.collate([one.prepared for one in batch])
        except Exception:
            log.exception("A batch cannot be laid out; its inputs are tried one by one.")
            return None

    def _run(self, batch: Sequence[Waiting], laid_out: Any) -> None:
        """Compute a batch and give everybody their part, or their problem."""
        began = time.monotonic()
        try:
            embedded = self.backend.encode(
                self.backend.collate([one.prepared for one in batch]) if laid_out is None else laid_out
            )
            self._check_shapes(embedded, batch)
        except OutOfMemory:
            self._split(batch)
        except DeviceLost as problem:
            log.exception("The device is lost.")
            self._lost()
            self._fail(batch, problem)
        except Exception as problem:
            if len(batch) == 1:
                log.exception("An input cannot be embedded.")
                self._fail(batch, problem)
            else:
                log.warning("A batch of %d failed; its inputs are tried one by one.", len(batch))
                for one in batch:
                    self._run([one], None)
        else:
            self._finished.put((batch, embedded, time.monotonic() - began))

    def _hand_out(self) -> None:
        while (finished := self._finished.get()) is not None:
            batch, embedded, took_s = finished
            self._count(batch, took_s)
            for one, answer in zip(batch, embedded, strict=True):
                if np.isfinite(answer.vectors).all():
                    one.done.set_result(answer)
                else:
                    one.done.set_exception(EmbeddingFailed("The model answered with numbers that are not finite."))

    def _check_shapes(self, embedded: Sequence[MultiVector], batch: Sequence[Waiting]) -> None:
        dim = self.backend.info.space.dim
        shapes = [one.vectors.shape for one in embedded]
        if len(embedded) != len(batch) or any(len(shape) != 2 or shape[0] < 1 or shape[1] != dim for shape in shapes):
            raise EmbeddingFailed(f"The backend answered {len(batch)} inputs with arrays of {shapes}.")

    def _split(self, batch: Sequence[Waiting]) -> None:
        """The batch was too big for the device: from now on they are smaller."""
        if len(batch) == 1:
            self._fail(batch, EmbeddingFailed("This input does not fit into the memory of the device."))
            return
        self.budget = max(1, min(self.budget, padded(batch) // 2))
        self._metrics.budget_tokens.set(self.budget)
        log.warning("Out of memory with %d inputs; batches now have at most %d tokens.", len(batch), self.budget)
        middle = len(batch) // 2
        self._run(batch[:middle], None)
        self._run(batch[middle:], None)

    def _fail(self, batch: Sequence[Waiting], problem: Exception) -> None:
        told = problem if isinstance(problem, RequestError) else EmbeddingFailed()
        for one in batch:
            one.done.set_exception(told)

    def _count(self, batch: Sequence[Waiting], took_s: float) -> None:
        real = sum(one.tokens for one in batch)
        self._metrics.forward_seconds.observe(took_s)
        self._metrics.batch_items.observe(len(batch))
        self._metrics.batch_tokens.labels("real").inc(real)
        self._metrics.batch_tokens.labels("padded").inc(padded(batch) - real)
