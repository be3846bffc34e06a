"""The engine as clients see it: while it loads, with a full queue, when it is slow, fails or stops."""

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
from tests.embeddings.gated import GatedBackend
from tests.embeddings.serving import DEADLINE_S, encoded, serving_with, until_ready


class SearchableBackend(GatedBackend):
    """Passes the self-test, which the base class does not: its pages have different vectors."""

    info = BackendInfo(backend="gated", space=GatedBackend.info.space, reads_pixels=False)

    def encode(self, batch: list[str]) -> list[MultiVector]:
        if any("Penguins" in text for text in batch):
            return [MultiVector(np.array([[-1, 0]], dtype=np.float16))]
        if any("nvoice" in text for text in batch):
            return [MultiVector(np.array([[1, 0]], dtype=np.float16))]
        return super().encode(batch)


def embed(client: httpx.Client, *texts: str, route: str = "/embeddings") -> httpx.Response:
    return client.post(route, json={"input_type": "text", "inputs": list(texts), "encoding_format": "float"})


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # poll, until the deadline above


@contextmanager
def embedding(client: httpx.Client, *texts: str, route: str = "/embeddings") -> Iterator[Callable[[], httpx.Response]]:
    """Send a request in the background; yields a function that waits for the response."""
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(embed, client, *texts, route=route)
        yield lambda: future.result(DEADLINE_S)


def metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_loading_service_is_alive_but_not_ready() -> None:
    loading = threading.Event()
    with serving_with(SearchableBackend(load=lambda: wait_for(loading))) as client:
        assert client.get("/health").json()["status"] == "loading"
        assert client.get("/ping").status_code == 204
        for response in (client.get("/ready"), embed(client, "a")):
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
        with embedding(client, "abc", route="/morphik/embeddings") as response_of:
            loading.set()
            assert response_of().status_code == 200
        until_ready(client)
        assert client.get("/ping").status_code == 200


def wait_for(event: threading.Event) -> None:
    assert event.wait(DEADLINE_S)


def fail() -> NoReturn:
    raise OSError("no weights here")


@pytest.mark.parametrize(
    "backend", [SearchableBackend(load=fail), GatedBackend()], ids=["no weights", "self-test fails"]
)
def test_unusable_model_never_becomes_ready(backend: GatedBackend) -> None:
    with serving_with(backend) as client:
        eventually(lambda: client.get("/health").json()["status"] == "failed")
        assert client.get("/health").status_code == 503
        assert client.get("/ping").status_code == 503
        assert embed(client, "a").status_code == 503


def test_full_queue_answers_429_with_retry_after() -> None:
    backend = SearchableBackend(open_gate=False)
    with serving_with(backend, COLPALI_MAX_QUEUE_TOKENS="40") as client:
        until_ready(client)
        with embedding(client, "first") as first:
            backend.wait_until_entered()
            refused = embed(client, "second")
            assert refused.status_code == 429
            assert refused.json()["code"] == "queue_full"
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            with embedding(client, "third", route="/morphik/embeddings") as waiting:
                backend.gate.set()
                assert first().status_code == waiting().status_code == 200


def test_request_that_times_out_answers_504_and_its_work_is_dropped() -> None:
    backend = SearchableBackend(open_gate=False)
    with serving_with(backend, COLPALI_TIMEOUT_S="1", COLPALI_BATCH_SIZE="1") as client:
        until_ready(client)
        with embedding(client, "first") as first:
            backend.wait_until_entered()
            assert embed(client, "second").status_code == 504
            assert first().json()["code"] == "took_too_long"
        backend.gate.set()
        assert embed(client, "third").status_code == 200
    assert ["second"] not in backend.batches


def test_work_of_a_disconnected_client_is_dropped() -> None:
    backend = SearchableBackend(open_gate=False)
    with serving_with(backend, COLPALI_BATCH_SIZE="1") as client:
        until_ready(client)
        with embedding(client, "first") as first:
            backend.wait_until_entered()
            body = b'{"input_type": "text", "inputs": ["gone"]}'
            head = f"POST /embeddings HTTP/1.1\r\nHost: a\r\nAuthorization: {client.headers['authorization']}\r\n"
            with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as connection:
                connection.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                eventually(lambda: metric(client, "paliembed_queue_items") == 2)
            eventually(lambda: metric(client, "paliembed_queue_items") == 1)
            backend.gate.set()
            assert first().status_code == 200
        assert embed(client, "last").status_code == 200
        assert metric(client, "paliembed_dropped_total") == 1
    assert ["gone"] not in backend.batches


def test_failing_input_is_named_and_the_service_continues() -> None:
    with serving_with(SearchableBackend()) as client:
        until_ready(client)
        response = embed(client, "fine", "boom", "fine too")
        assert response.status_code == 500
        assert response.json()["index"] == 1
        assert embed(client, "fine").status_code == 200


def test_accepted_requests_are_answered_while_stopping() -> None:
    backend = SearchableBackend(open_gate=False)
    with ThreadPoolExecutor(4) as threads, httpx.Client(timeout=DEADLINE_S) as other:
        with serving_with(backend, COLPALI_BATCH_SIZE="1") as client:
            until_ready(client)
            other.base_url, other.headers = client.base_url, client.headers
            futures = [threads.submit(embed, other, "a" * number) for number in range(1, 5)]
            backend.wait_until_entered()
            eventually(lambda: metric(client, "paliembed_queue_items") == 4)
            threading.Timer(0.2, backend.gate.set).start()
        assert [len(future.result(DEADLINE_S).json()["embeddings"][0]) for future in futures] == [1, 2, 3, 4]
    assert backend.closed


def test_preparation_of_pages_does_not_delay_a_query() -> None:
    released = threading.Event()

    class SlowPreparation(SearchableBackend):
        def prepare(self, item: Item) -> Prepared:
            if item.image is not None and item.image.width == 7:
                assert released.wait(DEADLINE_S)
            return super().prepare(item)

    pages = {"input_type": "image", "inputs": [encoded(Image.new("RGB", (7, 7)))] * 16}
    with serving_with(SlowPreparation()) as client, ThreadPoolExecutor(1) as threads:
        until_ready(client)
        ingest = threads.submit(client.post, "/embeddings", json=pages)
        eventually(lambda: metric(client, "paliembed_queue_items") == 16)
        assert embed(client, "query").status_code == 200
        released.set()
        assert len(ingest.result(DEADLINE_S).json()["embeddings"]) == 16
