"""Repeats, deadlines, and errors."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from conftest import COLLECTION, KEY, Server, ok, problem

from paliapi_client import (
    AsyncClient,
    Client,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    Forbidden,
    InvalidRequest,
    NotFound,
    PaliAPIError,
    QuotaExceeded,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    Unauthorized,
    UnexpectedAnswer,
)


def test_repeats_with_the_same_idempotency_key_until_it_succeeds(
    server: Server, client: Client, slept: list[float]
) -> None:
    server.answer(httpx.ReadError("broken"), problem(503, "overloaded"), problem(502, "x"), ok(COLLECTION, 201))
    assert client.collections.create("reports").name == "reports"
    assert len(server.requests) == 4
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1
    assert 0 < slept[0] < slept[1] < slept[2]


def test_waits_as_long_as_the_server_says(server: Server, client: Client, slept: list[float]) -> None:
    server.answer(problem(429, "rate_limited", Retry_After="3"), ok(COLLECTION))
    client.collections.get("reports")
    assert 3 <= slept[0] < 3.5


def test_does_not_wait_beyond_the_deadline(server: Server, client: Client, slept: list[float]) -> None:
    server.answer(problem(429, "rate_limited", Retry_After="60"))
    with pytest.raises(RateLimited) as caught:
        client.collections.get("reports")
    assert caught.value.retry_after == 60
    assert slept == []


def test_the_deadline_is_for_the_whole_call(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("paliapi_client.flows.attempts.time.monotonic", lambda: now[0])

    def slow(request: httpx.Request) -> httpx.Response:
        now[0] += 4.99
        raise httpx.ReadTimeout("slow", request=request)

    server.answer(slow)
    with pytest.raises(DeadlineExceeded):
        client.collections.get("reports")
    assert len(server.requests) == 1


def test_a_request_whose_fate_is_unknown_is_repeated_only_if_that_is_safe(
    server: Server, client: Client, slept: list[float]
) -> None:
    server.answer(httpx.ReadError("broken"))
    with pytest.raises(ConnectionFailed):
        client.keys.create("website", scopes=["read"])
    assert len(server.requests) == 1
    server.answer(httpx.ConnectError("down"))
    with pytest.raises(ConnectionFailed):
        client.keys.create("website", scopes=["read"])
    assert len(server.requests) == 6


def test_what_a_broken_attempt_deleted_counts_as_deleted(server: Server, client: Client, slept: list[float]) -> None:
    server.answer(httpx.ReadError("broken"), problem(404, "document_not_found"))
    client.documents.delete("a.pdf")
    server.answer(problem(404, "document_not_found"))
    with pytest.raises(NotFound):
        client.documents.delete("a.pdf")


@pytest.mark.parametrize(
    ("status", "code", "kind", "attempts"),
    [
        (400, "unparsable", InvalidRequest, 1),
        (401, "unauthenticated", Unauthorized, 1),
        (403, "scope_missing", Forbidden, 1),
        (404, "collection_not_found", NotFound, 1),
        (409, "collection_name_taken", Conflict, 1),
        (412, "stale", Conflict, 1),
        (422, "invalid", InvalidRequest, 1),
        (429, "rate_limited", RateLimited, 5),
        (429, "quota_exceeded", QuotaExceeded, 1),
        (500, "internal_error", ServerError, 1),
        (503, "unavailable", ServiceUnavailable, 5),
        (503, "sandbox_incomplete", ServiceUnavailable, 1),
    ],
)
def test_errors_by_kind(
    server: Server,
    client: Client,
    slept: list[float],
    status: int,
    code: str,
    kind: type[PaliAPIError],
    attempts: int,
) -> None:
    server.answer(problem(status, code, Retry_After="0"))
    with pytest.raises(kind) as caught:
        client.collections.get("reports")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.request_id) == (code, "r1")  # type: ignore[attr-defined]
    assert str(caught.value) == f"This is {code}. [{status} {code}, request r1]"
    assert len(server.requests) == attempts


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={**COLLECTION, "id": "1"}),
        httpx.Response(200, json={"id": 1}),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
        httpx.Response(307, headers={"Location": "https://evil.example/"}),
    ],
    ids=["html", "deep", "list", "type", "field", "encoding", "found", "redirect"],
)
def test_answers_of_something_else(server: Server, client: Client, answer: httpx.Response) -> None:
    server.answer(answer)
    with pytest.raises(UnexpectedAnswer):
        client.collections.get("reports")
    assert [request.url.host for request in server.requests] == ["pali.example"]


def test_an_error_that_is_not_json_says_its_status(server: Server, client: Client, slept: list[float]) -> None:
    server.answer(httpx.Response(500, text="<html>"))
    with pytest.raises(ServerError, match="http_500"):
        client.collections.get("reports")


def test_an_answer_that_is_too_large_is_given_up(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paliapi_client.runtime.connection.MAX_ANSWER_BYTES", 1000)
    server.answer(httpx.Response(200, content=b" " * 1001))
    with pytest.raises(UnexpectedAnswer, match="larger"):
        client.collections.get("reports")


def test_unknown_fields_do_no_harm(server: Server, client: Client) -> None:
    server.answer(ok({**COLLECTION, "new": {"of": ["a newer server"]}}, ETag='"5"'))
    assert client.collections.get("reports").etag == '"5"'


def test_asyncio_behaves_alike(server: Server, async_client: AsyncClient) -> None:
    async def main() -> None:
        server.answer(problem(503, "overloaded", Retry_After="0"), ok(COLLECTION, 201))
        assert (await async_client.collections.create("reports")).name == "reports"
        server.answer(problem(404, "collection_not_found"))
        with pytest.raises(NotFound):
            await async_client.collections.get("reports")
        await async_client._runtime.http.aclose()

    asyncio.run(main())
    assert len(server.requests) == 3


def test_the_key_is_sent_and_not_shown(server: Server, client: Client) -> None:
    server.answer(ok(COLLECTION))
    client.collections.get("reports")
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(client) + repr(client._runtime.connection)
