"""The transports, against scripted services."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from embeddings.client import (
    AccessDenied,
    Client,
    ClientError,
    InputRejected,
    InputTooLarge,
    InvalidResponse,
    ServiceUnavailable,
)
from embeddings.client.transports import HttpTransport, RunpodTransport, transport_for
from embeddings.contract import VectorSpace
from tests.embeddings.client.responses import FAST_RETRIES, one_row
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted


def test_minimal_service_is_supported() -> None:
    with (
        scripted(lambda _: Reply.json({"embeddings": [[[0.0] * 4, *one_row()]]})) as server,
        Client(f"{server.url}/embeddings/", retry_policy=FAST_RETRIES) as client,
    ):
        result = client.embed_queries(["a"])
    assert result.space == VectorSpace("", "", 4)
    assert result.multi_vectors[0].vectors.tolist() == one_row()
    assert server.requests[0].path == "/embeddings"
    assert server.requests[0].json() == {"input_type": "text", "inputs": ["a"]}


def test_host_selects_the_transport() -> None:
    def kind(url: str) -> type[object]:
        transport = transport_for(url, token="", policy=FAST_RETRIES, kind="auto")
        transport.close()
        return type(transport)

    assert kind("https://api.runpod.ai/v2/x") is RunpodTransport
    assert kind("https://x.api.runpod.ai") is HttpTransport


def job(status: str, **more: Any) -> Reply:
    return Reply.json({"id": "j-1", "status": status, **more})


def base64_output() -> dict[str, Any]:
    data = base64.b64encode(np.array(one_row(), dtype=np.float16).tobytes()).decode()
    return {"embeddings": [{"shape": [1, 4], "dtype": "float16", "data": data}], "model": "m", "revision": "r"}


def in_sequence(*replies: Reply) -> Callable[[ReceivedRequest], Reply]:
    remaining = list(replies)
    return lambda _: remaining.pop(0)


def test_queued_job_is_polled_until_it_completes() -> None:
    completed = job("COMPLETED", output=base64_output())
    script = in_sequence(job("IN_QUEUE"), job("IN_PROGRESS"), Reply(429), job("IN_QUEUE"), completed)
    with (
        scripted(script) as server,
        Client(f"{server.url}/v2/x/runsync", transport="runpod", retry_policy=FAST_RETRIES) as client,
    ):
        result = client.embed_queries(["a"])
    assert result.space == VectorSpace("m", "r", 4)
    paths = [f"{request.method} {request.path}" for request in server.requests]
    assert paths[:3] == ["POST /v2/x/runsync", "GET /v2/x/status/j-1", "GET /v2/x/status/j-1"]
    assert server.requests[0].json()["input"]["encoding_format"] == "base64"


def test_job_whose_result_is_gone_is_submitted_again() -> None:
    script = in_sequence(job("IN_QUEUE"), Reply(404), job("COMPLETED", output=base64_output()))
    with scripted(script) as server, Client(server.url, transport="runpod", retry_policy=FAST_RETRIES) as client:
        assert len(client.embed_queries(["a"]).multi_vectors) == 1


def test_output_of_a_colivara_worker_is_accepted() -> None:
    output = {"object": "list", "data": [{"object": "embedding", "embedding": one_row(), "index": 0}]}
    with (
        scripted(lambda _: job("COMPLETED", output=output)) as server,
        Client(server.url, transport="runpod", retry_policy=FAST_RETRIES) as client,
    ):
        assert client.embed_queries(["a"]).space == VectorSpace("", "", 4)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (job("FAILED", error="boom"), ServiceUnavailable),
        (job("TIMED_OUT"), ServiceUnavailable),
        (job("IN_QUEUE"), ServiceUnavailable),
        (job("COMPLETED", output=None), InvalidResponse),
        (job("COMPLETED", output={"problem": {"status": 422, "detail": "no image", "index": 0}}), InputRejected),
        (job("COMPLETED", output={"problem": {"status": 413, "detail": "large"}}), InputTooLarge),
        (job("COMPLETED", output={"problem": {"status": 503, "detail": "not now"}}), ServiceUnavailable),
        (Reply.json(["job"]), InvalidResponse),
        (Reply(401), AccessDenied),
    ],
)
def test_failed_job_raises_the_matching_error(reply: Reply, error: type[ClientError]) -> None:
    policy = replace(FAST_RETRIES, total_s=0.5)
    with (
        scripted(lambda _: reply) as server,
        Client(server.url, transport="runpod", retry_policy=policy) as client,
        pytest.raises(error),
    ):
        client.embed_queries(["a"])
