"""Reads the body of a request: with a key, within limits, and only while there is memory for it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from embeddings.errors import NotReady, RequestTimedOut, RequestTooLarge

T = TypeVar("T")

# Requests smaller than this never wait for memory, so that queries are not held up by pages.
SMALL = 256 * 1024
_READ_TIMEOUT_S = 120


class Memory:
    """The bytes that all requests being worked on may have together."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def of(self, size: int, *, within_s: float) -> AsyncIterator[None]:
        """So many bytes, once they are free."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: self._free >= size)
                self._free -= size
        except TimeoutError:
            raise NotReady("There is no memory for this request at present.", retry_after_s=10) from None
        try:
            yield
        finally:
            async with self._changed:
                self._free += size
                self._changed.notify_all()


def announced(request: Request, *, most: int) -> int:
    """How many bytes the body will have: what the client says, or as many as it may have."""
    told = request.headers.get("content-length", "")
    size = int(told) if told.isascii() and told.isdigit() else most
    if size > most:
        raise RequestTooLarge(f"The body has {size} bytes; at most {most} are taken. Send fewer inputs at once.")
    return size


async def read(request: Request, *, most: int) -> bytes:
    """The body, not longer than it may be."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise RequestTooLarge(f"The body has more than {most} bytes; send fewer inputs at once.")
                parts.append(part)
    except TimeoutError:
        raise RequestTimedOut(f"The body did not arrive within {_READ_TIMEOUT_S} s.") from None
    return b"".join(parts)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client goes away. Read the body first."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect()
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
