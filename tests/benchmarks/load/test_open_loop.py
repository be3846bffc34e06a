"""Requests are sent when they are due, whatever happens to earlier ones."""

import asyncio
import time

from benchmarks.load.open_loop import NO_ANSWER, Arrival, Outcome, fire, request

ASKED = request("POST", "/", key="a", body=b"{}", content_type="application/json")


async def _with_server(arrivals: list[Arrival], *, answer: bytes, together: int) -> list[Outcome]:
    """Run a server that responds only once the given number of requests has arrived."""
    enough = asyncio.Event()
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readexactly(len(ASKED))
        asked += 1
        if asked >= together:
            enough.set()
        await enough.wait()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        return await fire(arrivals, port=server.sockets[0].getsockname()[1])


def arrivals(count: int) -> list[Arrival]:
    return [Arrival(at_s=0.01 * number, kind="search", request=ASKED) for number in range(count)]


def test_requests_do_not_wait_for_other_responses() -> None:
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    outcomes = asyncio.run(_with_server(arrivals(20), answer=good, together=20))
    assert [one.status for one in outcomes] == [200] * 20


def test_chunked_body_is_read_completely() -> None:
    pieces = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n"
    outcomes = asyncio.run(_with_server(arrivals(3), answer=pieces, together=1))
    assert [one.status for one in outcomes] == [200] * 3


def test_retry_after_is_recognised() -> None:
    refused = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
    (outcome,) = asyncio.run(_with_server(arrivals(1), answer=refused, together=1))
    assert (outcome.status, outcome.asks_back) == (503, True)


def test_missing_response_is_an_outcome() -> None:
    (outcome,) = asyncio.run(_with_server(arrivals(1), answer=b"", together=1))
    assert outcome.status == NO_ANSWER


def test_latency_counts_from_the_due_time() -> None:
    began = time.perf_counter()
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    outcomes = asyncio.run(_with_server(arrivals(5), answer=good, together=5))
    assert all(0 < one.seconds <= time.perf_counter() - began - one.at_s for one in outcomes)
