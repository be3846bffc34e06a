"""What clients see of an engine that loads, is full, is slow, breaks or is told to stop."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NoReturn

import httpx
import numpy as np
import pytest
from PIL import Image

from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.contract import MultiVector
from tests.embeddings.gated import Gated
from tests.embeddings.serving import DEADLINE_S, encoded, serving_with, until_ready


class Provable(Gated):
    """Passes the canary: rows of unit length, and words in common are seen."""

    info = BackendInfo(backend="gated", space=Gated.info.space, reads_pixels=False)

    def encode(self, batch: list[str]) -> list[MultiVector]:
        if any("Penguins" in text for text in batch):
            return [MultiVector(np.array([[-1, 0]], dtype=np.float16))]
        if any("nvoice" in text for text in batch):
            return [MultiVector(np.array([[1, 0]], dtype=np.float16))]
        return super().encode(batch)


def ask(client: httpx.Client, *texts: str, to: str = "/embeddings") -> httpx.Response:
    return client.post(to, json={"input_type": "text", "inputs": list(texts), "encoding_format": "float"})


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)  # between two looks, with the deadline above


@contextmanager
def asking(client: httpx.Client, *texts: str, to: str = "/embeddings") -> Iterator[Callable[[], httpx.Response]]:
    """Ask beside the test; the result is the answer once it is there."""
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask, client, *texts, to=to)
        yield lambda: asked.result(DEADLINE_S)


def metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_while_loading_it_lives_but_is_not_ready() -> None:
    loading = threading.Event()
    with serving_with(Provable(load=lambda: assert_set(loading))) as client:
        assert client.get("/health").json()["status"] == "loading"
        assert client.get("/ping").status_code == 204
        for answer in (client.get("/ready"), ask(client, "a")):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        with asking(client, "abc", to="/morphik/embeddings") as answer_of:
            loading.set()
            assert answer_of().status_code == 200
        until_ready(client)
        assert client.get("/ping").status_code == 200


def assert_set(event: threading.Event) -> None:
    assert event.wait(DEADLINE_S)


def fail() -> NoReturn:
    raise OSError("no weights here")


@pytest.mark.parametrize("backend", [Provable(load=fail), Gated()], ids=["no weights", "dead canary"])
def test_a_model_that_cannot_be_used_is_never_ready(backend: Gated) -> None:
    with serving_with(backend) as client:
        eventually(lambda: client.get("/health").json()["status"] == "failed")
        assert client.get("/health").status_code == 503
        assert client.get("/ping").status_code == 503
        assert ask(client, "a").status_code == 503


def test_a_full_queue_is_told_with_a_time_to_come_back() -> None:
    backend = Provable(open_gate=False)
    with serving_with(backend, COLPALI_MAX_QUEUE_TOKENS="40") as client:
        until_ready(client)
        with asking(client, "first") as first:
            backend.wait_until_entered()
            refused = ask(client, "second")
            assert refused.status_code == 429
            assert refused.json()["code"] == "queue_full"
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            with asking(client, "third", to="/morphik/embeddings") as held:
                backend.gate.set()
                assert first().status_code == held().status_code == 200


def test_a_request_that_takes_too_long_is_told_so_and_its_work_is_dropped() -> None:
    backend = Provable(open_gate=False)
    with serving_with(backend, COLPALI_TIMEOUT_S="1", COLPALI_BATCH_SIZE="1") as client:
        until_ready(client)
        with asking(client, "first") as first:
            backend.wait_until_entered()
            assert ask(client, "second").status_code == 504
            assert first().json()["code"] == "took_too_long"
        backend.gate.set()
        assert ask(client, "third").status_code == 200
    assert ["second"] not in backend.seen


def test_work_of_a_client_that_has_gone_is_not_begun() -> None:
    backend = Provable(open_gate=False)
    with serving_with(backend, COLPALI_BATCH_SIZE="1") as client:
        until_ready(client)
        with asking(client, "first") as first:
            backend.wait_until_entered()
            body = b'{"input_type": "text", "inputs": ["gone"]}'
            head = f"POST /embeddings HTTP/1.1\r\nHost: a\r\nAuthorization: {client.headers['authorization']}\r\n"
            with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as leaver:
                leaver.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                eventually(lambda: metric(client, "paliembed_queue_items") == 2)
            eventually(lambda: metric(client, "paliembed_queue_items") == 1)
            backend.gate.set()
            assert first().status_code == 200
        assert ask(client, "last").status_code == 200
        assert metric(client, "paliembed_dropped_total") == 1
    assert ["gone"] not in backend.seen


def test_one_bad_input_is_named_and_the_service_goes_on() -> None:
    with serving_with(Provable()) as client:
        until_ready(client)
        answer = ask(client, "fine", "boom", "fine too")
        assert answer.status_code == 500
        assert answer.json()["index"] == 1
        assert ask(client, "fine").status_code == 200


def test_stopping_answers_what_was_accepted() -> None:
    backend = Provable(open_gate=False)
    with ThreadPoolExecutor(4) as threads, httpx.Client(timeout=DEADLINE_S) as other:
        with serving_with(backend, COLPALI_BATCH_SIZE="1") as client:
            until_ready(client)
            other.base_url, other.headers = client.base_url, client.headers
            asked = [threads.submit(ask, other, "a" * number) for number in range(1, 5)]
            backend.wait_until_entered()
            eventually(lambda: metric(client, "paliembed_queue_items") == 4)
            threading.Timer(0.2, backend.gate.set).start()
        assert [len(one.result(DEADLINE_S).json()["embeddings"][0]) for one in asked] == [1, 2, 3, 4]
    assert backend.closed


def test_pages_being_prepared_do_not_hold_up_a_query() -> None:
    held = threading.Event()

    class SlowEyes(Provable):
        def prepare(self, item: Item) -> Prepared:
            if item.image is not None and item.image.width == 7:
                assert held.wait(DEADLINE_S)
            return super().prepare(item)

    pages = {"input_type": "image", "inputs": [encoded(Image.new("RGB", (7, 7)))] * 16}
    with serving_with(SlowEyes()) as client, ThreadPoolExecutor(1) as threads:
        until_ready(client)
        ingest = threads.submit(client.post, "/embeddings", json=pages)
        eventually(lambda: metric(client, "paliembed_queue_items") == 16)
        assert ask(client, "query").status_code == 200
        held.set()
        assert len(ingest.result(DEADLINE_S).json()["embeddings"]) == 16
