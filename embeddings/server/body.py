"""Reads the body of a request, within limits and only while there is memory for it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from embeddings.errors import NotReady, RequestTimedOut, RequestTooLarge

T = TypeVar("T")

# Smaller requests need no reservation, so that pages do not delay queries.
SMALL_BODY_BYTES = 256 * 1024
_READ_TIMEOUT_S = 120


class MemoryBudget:
    """The number of bytes that all concurrent requests may occupy together."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def reserve(self, size: int, *, timeout_s: float) -> AsyncIterator[None]:
        """Wait until `size` bytes are free, and hold them inside the context."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
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


def announced_size(request: Request, *, limit: int) -> int:
    """Return the body's size from `Content-Length`, or the limit if the header is missing."""
    header = request.headers.get("content-length", "")
    size = int(header) if header.isascii() and header.isdigit() else limit
    if size > limit:
        raise RequestTooLarge(f"The body has {size} bytes; at most {limit} are accepted. Send fewer inputs at once.")
    return size


async def read_body(request: Request, *, limit: int) -> bytes:
    """Return the body, or raise RequestTooLarge as soon as it exceeds the limit."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise RequestTooLarge(f"The body has more than {limit} bytes; send fewer inputs at once.")
                parts.append(part)
    except TimeoutError:
        raise RequestTimedOut(f"The body did not arrive within {_READ_TIMEOUT_S} s.") from None
    return b"".join(parts)


async def cancel_on_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, but cancel it when the client disconnects. The body must have been read."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect()
        return working.result()
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
