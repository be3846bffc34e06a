"""Clients written for other servers with this contract, reconstructed from what they send and read."""

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


def post(url: str, kind: str, inputs: Sequence[str]) -> httpx.Response:
    body = {"input_type": kind, "inputs": list(inputs)}
    return httpx.post(f"{url.rstrip('/')}/embeddings", json=body, headers=AGENT, timeout=60, follow_redirects=False)


def embed_json(url: str, kind: str, inputs: Sequence[str]) -> list[NDArray[np.float32]]:
    """Embed like the client of May 2025, which reads JSON."""
    response = post(url, kind, inputs)
    response.raise_for_status()
    return [np.array(rows, dtype=np.float32) for rows in response.json().get("embeddings", [])]


def embed_npz(url: str, kind: str, inputs: Sequence[str]) -> list[NDArray[np.float32]]:
    """Embed like the client of August 2025, which reads npz."""
    response = post(url, kind, inputs)
    response.raise_for_status()
    with np.load(io.BytesIO(response.content)) as arrays:
        assert int(arrays["count"]) == len(inputs)
        assert str(arrays["input_type"]) == kind
        return [arrays[f"emb_{number}"].astype(np.float32) for number in range(int(arrays["count"]))]


def embed_over_endpoints(
    urls: Sequence[str], kind: str, inputs: Sequence[str], *, size: int
) -> list[NDArray[np.float32]]:
    """Embed like the client of July 2026: spreads batches over endpoints, and halves them on 413."""
    healthy = list(urls)

    def embed_batch(batch: Sequence[str], *, number: int) -> list[NDArray[np.float32]]:
        while healthy:
            url = healthy[number % len(healthy)]
            try:
                return embed_npz(url, kind, batch)
            except httpx.HTTPStatusError as error:
                if error.response.status_code == 413:
                    if len(batch) == 1:
                        raise ValueError("too large") from error
                    middle = len(batch) // 2
                    return embed_batch(batch[:middle], number=number) + embed_batch(batch[middle:], number=number)
                healthy.remove(url)
            except httpx.TransportError:
                healthy.remove(url)
        raise RuntimeError("all endpoints failed")

    batches = [inputs[start : start + size] for start in range(0, len(inputs), size)]
    results = (embed_batch(batch, number=number) for number, batch in enumerate(batches))
    return list(itertools.chain.from_iterable(results))


@pytest.fixture(scope="module")
def expected(service: httpx.Client) -> list[NDArray[np.float32]]:
    return embed_json(str(service.base_url), "image", PAGES)


def test_json_client(service: httpx.Client) -> None:
    texts = embed_json(str(service.base_url), "text", ["total due", "x" * 6000])
    assert [rows.shape for rows in texts] == [(2, 128), (1, 128)]
    assert embed_json(str(service.base_url), "image", []) == []


def test_npz_client(service: httpx.Client, expected: list[NDArray[np.float32]]) -> None:
    for actual, reference in zip(embed_npz(f"{service.base_url}/morphik/", "image", PAGES), expected, strict=True):
        np.testing.assert_allclose(actual, reference, atol=2e-4)


def test_client_of_several_endpoints(expected: list[NDArray[np.float32]]) -> None:
    with ExitStack() as running:
        small = running.enter_context(serving(COLPALI_MAX_INPUTS="2"))
        other = running.enter_context(serving(COLPALI_API_KEY="another-key"))
        urls = [f"{client.base_url}/morphik" for client in (small, other)] + ["http://127.0.0.1:1"]
        results = embed_over_endpoints(urls, "image", PAGES, size=4)
    for actual, reference in zip(results, expected, strict=True):
        np.testing.assert_allclose(actual, reference, atol=2e-4)


def test_page_that_is_too_large_is_reported_at_once() -> None:
    large = encoded(text_image("x", size=(1100, 1100)))
    with serving(COLPALI_MAX_IMAGE_MEGAPIXELS="1") as client, pytest.raises(ValueError, match="too large"):
        embed_over_endpoints([f"{client.base_url}/morphik"], "image", [*PAGES, large], size=4)
