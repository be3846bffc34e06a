"""Retries, deadlines, redirects, and the meaning of a status."""

import time

import pytest

from embeddings.client import AccessDenied, Client, InputRejected, InputTooLarge, InvalidResponse, ServiceUnavailable
from embeddings.client.errors import NotSupported
from embeddings.client.retries import RetryableError, error_for_status, pause
from tests.embeddings.client.responses import FAST_RETRIES, embeddings_of, one_row
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted


@pytest.mark.parametrize(
    "failure", [Reply(503, headers={"retry-after": "0"}), Reply(429), Reply(502), Reply(504), None]
)
def test_transient_failure_is_retried(failure: Reply | None) -> None:
    def reply(request: ReceivedRequest) -> Reply | None:
        return embeddings_of(request) if len(server.requests) == 3 else failure

    with scripted(reply) as server, Client(server.url, retry_policy=FAST_RETRIES) as client:
        assert len(client.embed_queries(["a"]).multi_vectors) == 1
    assert len(server.requests) == 3


def test_retry_after_beyond_the_deadline_is_passed_on_without_a_retry() -> None:
    with scripted(lambda _: Reply(503, headers={"retry-after": "90"})) as server:
        with Client(server.url, retry_policy=FAST_RETRIES) as client, pytest.raises(ServiceUnavailable) as raised:
            client.embed_queries(["a"])
        assert raised.value.retry_after_s == 90
        assert len(server.requests) == 1


def test_pause_beyond_the_deadline_is_refused() -> None:
    with pytest.raises(ServiceUnavailable):
        pause(1.0, deadline=time.monotonic() + 0.5)


@pytest.mark.parametrize(
    ("status", "index", "error"),
    [
        (401, None, AccessDenied),
        (403, None, AccessDenied),
        (413, None, InputTooLarge),
        (422, 3, InputRejected),
        (429, None, RetryableError),
        (500, None, RetryableError),
        (500, 3, InputRejected),
        (503, 3, RetryableError),
        (404, None, NotSupported),
        (405, None, NotSupported),
        (501, None, NotSupported),
        (410, None, InvalidResponse),
    ],
)
def test_status_determines_the_error(status: int, index: int | None, error: type[Exception]) -> None:
    assert type(error_for_status(status, "detail", index=index, retry_after="")) is error


def test_redirect_to_the_result_on_the_same_host_is_followed() -> None:
    def reply(request: ReceivedRequest) -> Reply:
        if request.method == "POST":
            return Reply(303, headers={"location": "/result?id=1"})
        assert request.headers["authorization"] == "Bearer t"
        return Reply.json({"embeddings": [one_row()]})

    with scripted(reply) as server, Client(server.url, token="t", retry_policy=FAST_RETRIES) as client:
        assert len(client.embed_queries(["a"]).multi_vectors) == 1


@pytest.mark.parametrize("location", ["http://127.0.0.2:1/", "http://[", "", "/again"])
def test_token_is_not_sent_to_another_host_or_in_a_redirect_loop(location: str) -> None:
    with (
        scripted(lambda _: Reply(303, headers={"location": location})) as server,
        Client(server.url, token="t", retry_policy=FAST_RETRIES) as client,
        pytest.raises(InvalidResponse),
    ):
        client.embed_queries(["a"])
