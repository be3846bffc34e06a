"""The threads that compute."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from embeddings.backends.base import Prepared
from embeddings.contract import MultiVector
from embeddings.errors import EmbeddingFailed
from embeddings.server.batching import Lane
from embeddings.server.compute import Compute
from embeddings.server.metrics import Metrics
from tests.embeddings.gated import GatedBackend
from tests.embeddings.serving import DEADLINE_S


@contextmanager
def computing(backend: GatedBackend, *, batch_size: int = 4, budget: int = 10**6) -> Iterator[Compute]:
    compute = Compute(backend, batch_size=batch_size, budget=budget, metrics=Metrics(), on_device_lost=lambda: None)
    compute.start()
    try:
        yield compute
    finally:
        backend.gate.set()
        compute.stop()
    assert not compute.alive


def submit(compute: Compute, *texts: str, lane: Lane = "image") -> list[Future[MultiVector]]:
    return [compute.submit(Prepared(len(text), text), lane=lane) for text in texts]


def row_counts(futures: list[Future[MultiVector]]) -> list[int]:
    return [len(future.result(DEADLINE_S).vectors) for future in futures]


def test_every_input_gets_its_own_result() -> None:
    with computing(GatedBackend()) as compute:
        assert row_counts(submit(compute, "a", "bb", "ccc", "dddd", "eeeee")) == [1, 2, 3, 4, 5]


def test_texts_overtake_queued_images() -> None:
    backend = GatedBackend(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        pages = submit(compute, "page 1", "page 2", "page 3")
        backend.wait_until_entered()
        queries = submit(compute, "query", lane="text")
        backend.gate.set()
        row_counts(pages + queries)
    assert backend.batches.index(["query"]) == 1


def test_images_are_not_starved_by_texts() -> None:
    backend = GatedBackend(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        texts = submit(compute, *(f"query {number}" for number in range(40)), lane="text")
        assert backend.collated.acquire(timeout=DEADLINE_S)
        pages = submit(compute, "page")
        assert backend.collated.acquire(timeout=DEADLINE_S)
        backend.gate.set()
        row_counts(texts + pages)
    assert backend.batches.index(["page"]) < 20


def test_cancelled_input_is_never_computed() -> None:
    backend = GatedBackend(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        running = submit(compute, "running")
        backend.wait_until_entered()
        cancelled, other = submit(compute, "cancelled", "other", lane="text")
        assert cancelled.cancel()
        backend.gate.set()
        row_counts([*running, other])
    assert ["cancelled"] not in backend.batches


def test_out_of_memory_reduces_batches_and_loses_no_input() -> None:
    backend = GatedBackend(open_gate=False, capacity=6)
    with computing(backend, batch_size=8) as compute:
        futures = submit(compute, *["abc"] * 8)
        backend.gate.set()
        assert row_counts(futures) == [3] * 8
        assert compute.budget == 6
        assert row_counts(submit(compute, *["abc"] * 4)) == [3] * 4
    assert all(len(batch) <= 2 for batch in backend.batches[-2:])


def test_input_that_never_fits_fails_alone() -> None:
    backend = GatedBackend(open_gate=False, capacity=6)
    with computing(backend) as compute:
        small, large = submit(compute, "abc", "abcdefgh")
        backend.gate.set()
        assert row_counts([small]) == [3]
        with pytest.raises(EmbeddingFailed, match="does not fit"):
            large.result(DEADLINE_S)


def test_input_on_which_the_model_fails_fails_alone() -> None:
    backend = GatedBackend(open_gate=False)
    with computing(backend) as compute:
        first, failing, last = submit(compute, "abc", "boom", "defg")
        backend.gate.set()
        assert row_counts([first, last]) == [3, 4]
        with pytest.raises(EmbeddingFailed):
            failing.result(DEADLINE_S)


def test_stop_finishes_queued_inputs() -> None:
    backend = GatedBackend(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        futures = submit(compute, "a", "bb", "ccc") + submit(compute, "dddd", lane="text")
    assert row_counts(futures) == [1, 2, 3, 4]


def test_partial_batch_does_not_wait_for_inputs_that_never_arrive() -> None:
    with computing(GatedBackend()) as compute:
        compute.expect("image", 1)
        compute.expect("text", 1)
        began = time.monotonic()
        assert row_counts(submit(compute, "a") + submit(compute, "b", lane="text")) == [1, 1]
        assert time.monotonic() - began < DEADLINE_S


class ConcurrentBackend(GatedBackend):
    """Encodes two pages at the same time; only pages wait at the gate."""

    info = replace(GatedBackend.info, concurrent_pages=2)

    def encode(self, batch: list[str]) -> list[MultiVector]:
        if all("query" in text for text in batch):
            return [MultiVector(np.ones((len(text), 2), dtype=np.float16)) for text in batch]
        return super().encode(batch)


def test_pages_are_computed_at_the_same_time_and_one_by_one() -> None:
    backend = ConcurrentBackend(open_gate=False)
    with computing(backend) as compute:
        pages = submit(compute, "a", "bb", "ccc", "dddd", "eeeee")
        for _ in range(2):
            backend.wait_until_entered()
        assert sorted(backend.batches) == [["a"], ["bb"]]
        assert not backend.entered.acquire(timeout=0.05)
        backend.gate.set()
        assert row_counts(pages) == [1, 2, 3, 4, 5]
    assert all(len(batch) == 1 for batch in backend.batches)


def test_texts_do_not_wait_for_pages_that_are_being_computed() -> None:
    backend = ConcurrentBackend(open_gate=False)
    with computing(backend) as compute:
        pages = submit(compute, "page 1", "page 2", "page 3")
        for _ in range(2):
            backend.wait_until_entered()
        assert row_counts(submit(compute, "query", "other query", lane="text")) == [5, 11]
        assert not any(page.done() for page in pages)


def test_longest_running_batch_is_known() -> None:
    backend = ConcurrentBackend(open_gate=False)
    with computing(backend) as compute:
        began = time.monotonic()
        (first,) = submit(compute, "first")
        backend.wait_until_entered()
        entered = time.monotonic()
        submit(compute, "second")
        backend.wait_until_entered()
        assert compute.running_since is not None
        assert began <= compute.running_since <= entered
        backend.gate.set()
        first.result(DEADLINE_S)


def test_page_on_which_the_model_fails_fails_alone_among_others_at_the_same_time() -> None:
    with computing(ConcurrentBackend()) as compute:
        first, failing, last = submit(compute, "abc", "boom", "defg")
        assert row_counts([first, last]) == [3, 4]
        with pytest.raises(EmbeddingFailed):
            failing.result(DEADLINE_S)
        assert row_counts(submit(compute, "a")) == [1]


def test_stop_finishes_pages_that_are_queued_for_several_threads() -> None:
    backend = ConcurrentBackend(open_gate=False)
    with computing(backend) as compute:
        futures = submit(compute, "a", "bb", "ccc") + submit(compute, "query", lane="text")
    assert row_counts(futures) == [1, 2, 3, 5]
