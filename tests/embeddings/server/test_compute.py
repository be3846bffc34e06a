"""The thread that computes."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from embeddings.backends.base import Prepared
from embeddings.contract import MultiVector
from embeddings.errors import EmbeddingFailed
from embeddings.server.batching import Lane
from embeddings.server.compute import Compute
from embeddings.server.metrics import Metrics
from tests.embeddings.gated import Gated
from tests.embeddings.serving import DEADLINE_S


@contextmanager
def computing(backend: Gated, *, batch_size: int = 4, budget: int = 10**6) -> Iterator[Compute]:
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


def rows(futures: list[Future[MultiVector]]) -> list[int]:
    return [len(future.result(DEADLINE_S).vectors) for future in futures]


def test_everybody_gets_their_own_answer() -> None:
    with computing(Gated()) as compute:
        assert rows(submit(compute, "a", "bb", "ccc", "dddd", "eeeee")) == [1, 2, 3, 4, 5]


def test_texts_go_before_images_that_came_earlier() -> None:
    backend = Gated(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        first = submit(compute, "page 1", "page 2", "page 3")
        backend.wait_until_entered()
        asked = submit(compute, "query", lane="text")
        backend.gate.set()
        rows(first + asked)
    assert backend.seen.index(["query"]) == 1


def test_images_have_their_turn_however_many_texts_wait() -> None:
    backend = Gated(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        texts = submit(compute, *(f"query {number}" for number in range(40)), lane="text")
        assert backend.laid_out.acquire(timeout=DEADLINE_S)
        pages = submit(compute, "page")
        assert backend.laid_out.acquire(timeout=DEADLINE_S)
        backend.gate.set()
        rows(texts + pages)
    assert backend.seen.index(["page"]) < 20


def test_what_nobody_waits_for_is_never_computed() -> None:
    backend = Gated(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        kept = submit(compute, "held")
        backend.wait_until_entered()
        dropped, also_kept = submit(compute, "dropped", "kept", lane="text")
        assert dropped.cancel()
        backend.gate.set()
        rows([*kept, also_kept])
    assert ["dropped"] not in backend.seen


def test_out_of_memory_makes_batches_smaller_and_loses_nothing() -> None:
    backend = Gated(open_gate=False, fits=6)
    with computing(backend, batch_size=8) as compute:
        futures = submit(compute, *["abc"] * 8)
        backend.gate.set()
        assert rows(futures) == [3] * 8
        assert compute.budget == 6
        assert rows(submit(compute, *["abc"] * 4)) == [3] * 4
    assert all(len(batch) <= 2 for batch in backend.seen[-2:])


def test_an_input_that_never_fits_fails_alone() -> None:
    backend = Gated(open_gate=False, fits=6)
    with computing(backend) as compute:
        small, large = submit(compute, "abc", "abcdefgh")
        backend.gate.set()
        assert rows([small]) == [3]
        with pytest.raises(EmbeddingFailed, match="does not fit"):
            large.result(DEADLINE_S)


def test_an_input_that_breaks_the_model_fails_alone() -> None:
    backend = Gated(open_gate=False)
    with computing(backend) as compute:
        good, bad, also_good = submit(compute, "abc", "boom", "defg")
        backend.gate.set()
        assert rows([good, also_good]) == [3, 4]
        with pytest.raises(EmbeddingFailed):
            bad.result(DEADLINE_S)


def test_stopping_finishes_what_was_submitted() -> None:
    backend = Gated(open_gate=False)
    with computing(backend, batch_size=1) as compute:
        futures = submit(compute, "a", "bb", "ccc") + submit(compute, "dddd", lane="text")
    assert rows(futures) == [1, 2, 3, 4]


def test_a_batch_that_is_not_full_does_not_wait_for_what_never_comes() -> None:
    with computing(Gated()) as compute:
        compute.expect("image", 1)
        compute.expect("text", 1)
        began = time.monotonic()
        assert rows(submit(compute, "a") + submit(compute, "b", lane="text")) == [1, 1]
        assert time.monotonic() - began < DEADLINE_S
