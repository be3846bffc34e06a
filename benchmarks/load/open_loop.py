"""Requests at times that were fixed before, whatever becomes of those that came earlier.

Who waits for an answer before asking again measures a slow server too kindly: it is asked less often. Here a request
that is due is sent, and its time counts from the moment at which it was due.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

PATIENCE_S = 30.0
NO_ANSWER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What is sent, and when, in seconds from the beginning."""

    at_s: float
    kind: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it; the status is NO_ANSWER where there was none. `asks_back` tells of a Retry-After."""

    kind: str
    at_s: float
    seconds: float
    status: int
    asks_back: bool


def request(method: str, path: str, *, key: str, body: bytes, content_type: str) -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def fire(arrivals: Sequence[Arrival], *, port: int) -> list[Outcome]:
    """Send each when it is due; all outcomes, when the last is there."""
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


@dataclass(frozen=True, slots=True)
class _Line:
    """A connection that is kept."""

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


async def _answered(asked: bytes, idle: "list[_Line]", *, port: int) -> tuple[int, bool]:
    while idle:
        line = idle.pop()
        try:
            return await _over(line, asked, idle)
        except (ConnectionError, asyncio.IncompleteReadError):
            line.close()  # the server let go of it while it was idle
    return await _over(_Line(*await asyncio.open_connection("127.0.0.1", port)), asked, idle)


async def _over(line: "_Line", asked: bytes, idle: "list[_Line]") -> tuple[int, bool]:
    kept = False
    try:
        line.writer.write(asked)
        head = (await line.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        lines = head.split("\r\n")
        fields = dict(one.split(": ", 1) for one in lines[1:] if ": " in one)
        await _read_body(line.reader, fields)
        kept = fields.get("connection", "") != "close"
        return int(lines[0].split()[1]), "retry-after" in fields
    finally:
        if kept:
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
