"""Programs that were written for other servers of this contract, re-written from what they send and what they read."""

import io
import itertools
from collections.abc import Sequence
from contextlib import ExitStack

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.embeddings.serving import KEY, encoded, serving, text_image

AGENT = {"authorization": f"Bearer {KEY}", "user-agent": "python-httpx/0.27", "accept": "*/*"}
PAGES = [encoded(text_image(f"Page {number}")) for number in range(7)]


def ask(url: str, kind: str, inputs: Sequence[str]) -> httpx.Response:
    body = {"input_type": kind, "inputs": list(inputs)}
    return httpx.post(f"{url.rstrip('/')}/embeddings", json=body, headers=AGENT, timeout=60, follow_redirects=False)


def of_json(url: str, kind: str, inputs: Sequence[str]) -> list[NDArray[np.float32]]:
    """May 2025: JSON."""
    answer = ask(url, kind, inputs)
    answer.raise_for_status()
    return [np.array(rows, dtype=np.float32) for rows in answer.json().get("embeddings", [])]


def of_npz(url: str, kind: str, inputs: Sequence[str]) -> list[NDArray[np.float32]]:
    """August 2025: npz, pairs made silently."""
    answer = ask(url, kind, inputs)
    answer.raise_for_status()
    with np.load(io.BytesIO(answer.content)) as arrays:
        assert int(arrays["count"]) == len(inputs)
        assert str(arrays["input_type"]) == kind
        return [arrays[f"emb_{number}"].astype(np.float32) for number in range(int(arrays["count"]))]


def of_many(urls: Sequence[str], kind: str, inputs: Sequence[str], *, size: int) -> list[NDArray[np.float32]]:
    """July 2026: batches dealt over endpoints, halved on 413, dealt again when an endpoint fails."""
    good = list(urls)

    def batch(some: Sequence[str], *, turn: int) -> list[NDArray[np.float32]]:
        while good:
            url = good[turn % len(good)]
            try:
                return of_npz(url, kind, some)
            except httpx.HTTPStatusError as problem:
                if problem.response.status_code == 413:
                    if len(some) == 1:
                        raise ValueError("too large") from problem
                    middle = len(some) // 2
                    return batch(some[:middle], turn=turn) + batch(some[middle:], turn=turn)
                good.remove(url)
            except httpx.TransportError:
                good.remove(url)
        raise RuntimeError("all endpoints failed")

    batches = [inputs[start : start + size] for start in range(0, len(inputs), size)]
    return list(itertools.chain.from_iterable(batch(some, turn=turn) for turn, some in enumerate(batches)))


@pytest.fixture(scope="module")
def truth(service: httpx.Client) -> list[NDArray[np.float32]]:
    return of_json(str(service.base_url), "image", PAGES)


def test_the_json_client(service: httpx.Client) -> None:
    texts = of_json(str(service.base_url), "text", ["total due", "x" * 6000])
    assert [rows.shape for rows in texts] == [(2, 128), (1, 128)]
    assert of_json(str(service.base_url), "image", []) == []


def test_the_npz_client(service: httpx.Client, truth: list[NDArray[np.float32]]) -> None:
    for got, wanted in zip(of_npz(f"{service.base_url}/morphik/", "image", PAGES), truth, strict=True):
        np.testing.assert_allclose(got, wanted, atol=2e-4)


def test_the_client_of_several_endpoints(truth: list[NDArray[np.float32]]) -> None:
    with ExitStack() as running:
        small = running.enter_context(serving(COLPALI_MAX_INPUTS="2"))
        other = running.enter_context(serving(COLPALI_API_KEY="of-somebody-else"))
        urls = [f"{client.base_url}/morphik" for client in (small, other)] + ["http://127.0.0.1:1"]
        found = of_many(urls, "image", PAGES, size=4)
    for got, wanted in zip(found, truth, strict=True):
        np.testing.assert_allclose(got, wanted, atol=2e-4)


def test_a_page_that_is_too_large_is_told_at_once() -> None:
    large = encoded(text_image("x", size=(1100, 1100)))
    with serving(COLPALI_MAX_IMAGE_MEGAPIXELS="1") as client, pytest.raises(ValueError, match="too large"):
        of_many([f"{client.base_url}/morphik"], "image", [*PAGES, large], size=4)
