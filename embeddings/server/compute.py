"""The threads that compute: one for everything that needs a device, or one for each core and one for texts.

With a device, another thread collates the next image batch meanwhile. Results are always delivered by one of their own.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import numpy as np

from embeddings.backends.base import BatchModel, DeviceLost, OutOfMemory, Prepared
from embeddings.contract import MultiVector
from embeddings.errors import EmbeddingFailed, RequestError
from embeddings.server.batching import Lane, QueuedInput, choose_batch, padded_tokens
from embeddings.server.metrics import Metrics

log = logging.getLogger(__name__)

# How long a partial batch waits for inputs still being prepared, while the device is idle.
_MAX_WAIT_S: dict[Lane, float] = {"text": 0.002, "image": 0.008, "pair": 0.002}
# After this many consecutive text batches an image batch goes first, however many texts are queued.
_MAX_CONSECUTIVE_TEXT_BATCHES = 8


class Compute:
    """Runs batches, texts before images.

    A backend without `concurrent_pages` has a device, which only the compute thread uses. Otherwise each image is
    computed on one of so many threads, and texts on another thread, so that they wait for no image. With `only_pairs`,
    the model is a reranker, with one thread.
    """

    def __init__(
        self,
        backend: BatchModel,
        *,
        batch_size: int,
        budget: int,
        metrics: Metrics,
        on_device_lost: Callable[[], None],
        only_pairs: bool = False,
    ) -> None:
        self.backend = backend
        self._sizes: dict[Lane, int] = {
            "text": batch_size,
            "image": 1 if backend.info.concurrent_pages else batch_size,
            "pair": batch_size,
        }
        self.budget = budget
        self._metrics = metrics
        self._on_device_lost = on_device_lost
        self._lock = threading.Lock()
        self._compute_wakeup = threading.Condition(self._lock)
        self._collate_wakeup = threading.Condition(self._lock)
        self._lanes: dict[Lane, list[QueuedInput]] = {"text": [], "image": [], "pair": []}
        self._expected: dict[Lane, int] = {"text": 0, "image": 0, "pair": 0}
        self._collated: tuple[list[QueuedInput], Any] | None = None
        self._collating = False
        self._stopping = False
        self._running: dict[str, float] = {}
        # Results are delivered on another thread, because the device would be idle meanwhile.
        self._finished: queue.SimpleQueue[tuple[Sequence[QueuedInput], Sequence[MultiVector], float] | None]
        self._finished = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in self._loops(backend.info.concurrent_pages, only_pairs=only_pairs)
        ]
        self._deliver_thread = threading.Thread(target=self._deliver_loop, name="deliver", daemon=True)
        self._budget_tokens = metrics.pair_budget_tokens if only_pairs else metrics.budget_tokens
        self._budget_tokens.set(budget)

    def _loops(self, concurrent_pages: int, *, only_pairs: bool) -> list[tuple[str, Callable[[], None]]]:
        """Return the name and the function of each computing thread."""
        if only_pairs:
            return [("pairs", partial(self._lane_loop, "pair", name="pairs"))]
        if not concurrent_pages:
            return [("compute", self._compute_loop), ("collate", self._collate_loop)]
        lanes: list[tuple[str, Lane]] = [("texts", "text")]
        lanes += [(f"page {number}", "image") for number in range(concurrent_pages)]
        return [(name, partial(self._lane_loop, lane, name=name)) for name, lane in lanes]

    @property
    def alive(self) -> bool:
        """True while all threads run."""
        return all(thread.is_alive() for thread in (*self._threads, self._deliver_thread))

    @property
    def running_since(self) -> float | None:
        """The time on the monotonic clock at which the longest running batch began."""
        with self._lock:
            return min(self._running.values(), default=None)

    def start(self) -> None:
        """Start the threads."""
        for thread in (*self._threads, self._deliver_thread):
            thread.start()

    def expect(self, lane: Lane, count: int) -> None:
        """Add to the number of inputs that are being prepared for this lane; a negative count subtracts."""
        with self._lock:
            self._expected[lane] += count
            if count < 0:
                self._notify(lane)

    def submit(self, prepared: Prepared, *, lane: Lane) -> Future[MultiVector]:
        """Queue an input. Cancelling the future before its batch begins drops the input."""
        result: Future[MultiVector] = Future()
        with self._lock:
            self._lanes[lane].append(QueuedInput(prepared, time.monotonic(), result))
            self._notify(lane)
        return result

    def stop(self) -> None:
        """Finish the queued inputs, then end the threads."""
        with self._lock:
            self._stopping = True
            self._compute_wakeup.notify_all()
            self._collate_wakeup.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._finished.put(None)
        if self._deliver_thread.is_alive():
            self._deliver_thread.join()

    def _notify(self, lane: Lane) -> None:
        """Wake the thread that takes from this lane. Hold the lock."""
        (self._compute_wakeup if lane == "text" else self._collate_wakeup).notify()

    def _compute_loop(self) -> None:
        consecutive_texts = 0
        while True:
            with self._lock:
                self._running.clear()
                while (chosen := self._next_batch(consecutive_texts)) is None:
                    if self._stopping and not self._has_work():
                        return
                    self._collate_wakeup.notify()
                    self._compute_wakeup.wait(_MAX_WAIT_S["text"] if self._lanes["text"] else None)
                batch, collated = chosen
                consecutive_texts = consecutive_texts + 1 if collated is None else 0
                self._running["compute"] = time.monotonic()
                self._collate_wakeup.notify()
            self._run(batch, collated)

    def _next_batch(self, consecutive_texts: int) -> tuple[list[QueuedInput], Any] | None:
        """Return a batch to compute now, or None. Hold the lock."""
        images_first = self._collated is not None and consecutive_texts >= _MAX_CONSECUTIVE_TEXT_BATCHES
        if not images_first and self._lanes["text"]:
            if not self._is_due("text"):
                return None
            if batch := self._take_batch("text"):
                return batch, None
        images, self._collated = self._collated, None
        return images

    def _has_work(self) -> bool:
        """Check whether anything is queued or being collated. Hold the lock."""
        return self._collating or self._collated is not None or any(self._lanes.values())

    def _collate_loop(self) -> None:
        while True:
            with self._lock:
                # While the device is busy there is time to wait for a full batch.
                while self._collated is not None or not self._is_due("image", eager=not self._running):
                    if self._stopping and not self._lanes["image"]:
                        return
                    timed = self._lanes["image"] and self._collated is None and not self._running
                    self._collate_wakeup.wait(_MAX_WAIT_S["image"] if timed else None)
                batch = self._take_batch("image")
                self._collating = True
            collated = self._collate(batch) if batch else None
            with self._lock:
                self._collating = False
                self._collated = (batch, collated) if batch else None
                self._compute_wakeup.notify()

    def _lane_loop(self, lane: Lane, *, name: str) -> None:
        """Compute batches of one lane, while other threads compute others."""
        wakeup = self._compute_wakeup if lane == "text" else self._collate_wakeup
        while True:
            with self._lock:
                self._running.pop(name, None)
                while not self._is_due(lane):
                    if self._stopping and not self._lanes[lane]:
                        return
                    wakeup.wait(_MAX_WAIT_S[lane] if self._lanes[lane] else None)
                batch = self._take_batch(lane)
                self._running[name] = time.monotonic()
            if batch:
                self._run(batch, None)

    def _is_due(self, lane: Lane, *, eager: bool = True) -> bool:
        """Check whether a batch should be taken now. Hold the lock."""
        queued = self._lanes[lane]
        if not queued:
            return False
        if len(queued) >= self._sizes[lane] or sum(queued_input.tokens for queued_input in queued) >= self.budget:
            return True
        waited = time.monotonic() - queued[0].queued_at >= _MAX_WAIT_S[lane]
        return eager and (waited or self._stopping or self._expected[lane] <= 0)

    def _take_batch(self, lane: Lane) -> list[QueuedInput]:
        """Remove the next batch of a lane, without cancelled inputs. Hold the lock."""
        queued = [queued_input for queued_input in self._lanes[lane] if not queued_input.result.cancelled()]
        self._metrics.dropped.inc(len(self._lanes[lane]) - len(queued))
        batch = choose_batch(queued, budget=self.budget, max_size=self._sizes[lane]) if queued else []
        self._lanes[lane] = [queued_input for queued_input in queued if queued_input not in batch]
        now = time.monotonic()
        for queued_input in batch:
            self._metrics.queue_wait_seconds.labels(lane).observe(now - queued_input.queued_at)
        return [queued_input for queued_input in batch if queued_input.result.set_running_or_notify_cancel()]

    def _collate(self, batch: Sequence[QueuedInput]) -> Any:
        try:
            return self.backend.collate([queued_input.prepared for queued_input in batch])
        except Exception:
            log.exception("A batch cannot be collated; its inputs are tried one by one.")
            return None

    def _run(self, batch: Sequence[QueuedInput], collated: Any) -> None:
        """Compute a batch and resolve the futures of its inputs."""
        began = time.monotonic()
        try:
            if collated is None:
                collated = self.backend.collate([queued_input.prepared for queued_input in batch])
            multi_vectors = self.backend.encode(collated)
            self._check_shapes(multi_vectors, batch)
        except OutOfMemory:
            self._split(batch)
        except DeviceLost as error:
            log.exception("The device is lost.")
            self._on_device_lost()
            self._fail(batch, error)
        except Exception as error:
            if len(batch) == 1:
                log.exception("An input cannot be embedded.")
                self._fail(batch, error)
            else:
                log.warning("A batch of %d failed; its inputs are tried one by one.", len(batch))
                for queued_input in batch:
                    self._run([queued_input], None)
        else:
            self._finished.put((batch, multi_vectors, time.monotonic() - began))

    def _deliver_loop(self) -> None:
        while (finished := self._finished.get()) is not None:
            batch, multi_vectors, duration_s = finished
            self._count(batch, duration_s)
            for queued_input, multi_vector in zip(batch, multi_vectors, strict=True):
                if np.isfinite(multi_vector.vectors).all():
                    queued_input.result.set_result(multi_vector)
                else:
                    queued_input.result.set_exception(
                        EmbeddingFailed("The model returned numbers that are not finite.")
                    )

    def _check_shapes(self, multi_vectors: Sequence[MultiVector], batch: Sequence[QueuedInput]) -> None:
        dim = self.backend.info.space.dim
        shapes = [multi_vector.vectors.shape for multi_vector in multi_vectors]
        valid = all(len(shape) == 2 and shape[0] >= 1 and shape[1] == dim for shape in shapes)
        if len(multi_vectors) != len(batch) or not valid:
            raise EmbeddingFailed(f"The backend returned arrays of {shapes} for {len(batch)} inputs.")

    def _split(self, batch: Sequence[QueuedInput]) -> None:
        """Lower the budget after running out of memory, and run the batch in halves."""
        if len(batch) == 1:
            self._fail(batch, EmbeddingFailed("This input does not fit into the memory of the device."))
            return
        self.budget = max(1, min(self.budget, padded_tokens(batch) // 2))
        self._budget_tokens.set(self.budget)
        log.warning("Out of memory with %d inputs; batches now have at most %d tokens.", len(batch), self.budget)
        middle = len(batch) // 2
        self._run(batch[:middle], None)
        self._run(batch[middle:], None)

    def _fail(self, batch: Sequence[QueuedInput], error: Exception) -> None:
        public = error if isinstance(error, RequestError) else EmbeddingFailed()
        for queued_input in batch:
            queued_input.result.set_exception(public)

    def _count(self, batch: Sequence[QueuedInput], duration_s: float) -> None:
        tokens = sum(queued_input.tokens for queued_input in batch)
        self._metrics.forward_seconds.observe(duration_s)
        self._metrics.batch_items.observe(len(batch))
        self._metrics.batch_tokens.labels("real").inc(tokens)
        self._metrics.batch_tokens.labels("padded").inc(padded_tokens(batch) - tokens)
