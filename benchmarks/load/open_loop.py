"""An open-loop load generator: requests are sent at predetermined times, whatever happens to earlier ones.

A closed loop, which waits for each response, flatters a slow server by sending less. Here a request is sent when it is
due, and its latency counts from that moment.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

PATIENCE_S = 30.0
NO_ANSWER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request and its due time, in seconds from the start."""

    at_s: float
    kind: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """Its outcome; the status is NO_ANSWER without a response. `asks_back`: the response had a Retry-After."""

    kind: str
    at_s: float
    seconds: float
    status: int
    asks_back: bool


def request(method: str, path: str, *, key: str, body: bytes, content_type: str) -> bytes:
    """Return a request in wire format."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def fire(arrivals: Sequence[Arrival], *, port: int) -> list[Outcome]:
    """Send each request when it is due; return all outcomes."""
    idle: list[_Line] = []
    began = time.perf_counter()
    tasks = []
    for arrival in arrivals:
        await asyncio.sleep(max(0.0, began + arrival.at_s - time.perf_counter()))
        tasks.append(asyncio.create_task(_send(arrival, idle, port=port, began=began)))
    outcomes = list(await asyncio.gather(*tasks))
    for line in idle:
        line.close()
    return outcomes


async def keep_busy(requests: Iterator[bytes], *, port: int, in_flight: int) -> Counter[int]:
    """Send requests one after another over so many connections until there are none left; count the statuses.

    This is a closed loop, for measuring what a request costs when the server is busy. It says nothing about latency.
    """
    idle: list[_Line] = []
    statuses: Counter[int] = Counter()

    async def send() -> None:
        for one in requests:
            statuses[(await _answered(one, idle, port=port))[0]] += 1

    await asyncio.gather(*(send() for _ in range(in_flight)))
    for line in idle:
        line.close()
    return statuses


@dataclass(frozen=True, slots=True)
class _Line:
    """A persistent connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        self.writer.close()


async def _send(arrival: Arrival, idle: "list[_Line]", *, port: int, began: float) -> Outcome:
    status, asks_back = NO_ANSWER, False
    with suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
        async with asyncio.timeout(PATIENCE_S):
            status, asks_back = await _answered(arrival.request, idle, port=port)
    seconds = time.perf_counter() - began - arrival.at_s
    return Outcome(arrival.kind, arrival.at_s, seconds, status, asks_back)


async def _answered(request_bytes: bytes, idle: "list[_Line]", *, port: int) -> tuple[int, bool]:
    while idle:
        line = idle.pop()
        try:
            return await _over(line, request_bytes, idle)
        except (ConnectionError, asyncio.IncompleteReadError):
            line.close()  # the server closed it while it was idle
    return await _over(_Line(*await asyncio.open_connection("127.0.0.1", port)), request_bytes, idle)


async def _over(line: "_Line", request_bytes: bytes, idle: "list[_Line]") -> tuple[int, bool]:
    keep_alive = False
    try:
        line.writer.write(request_bytes)
        head = (await line.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        lines = head.split("\r\n")
        fields = dict(one.split(": ", 1) for one in lines[1:] if ": " in one)
        await _read_body(line.reader, fields)
        keep_alive = fields.get("connection", "") != "close"
        return int(lines[0].split()[1]), "retry-after" in fields
    finally:
        if keep_alive:
            idle.append(line)
        else:
            line.close()


async def _read_body(reader: asyncio.StreamReader, fields: dict[str, str]) -> None:
    if fields.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(fields.get("content-length", 0)))
