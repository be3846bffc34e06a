"""As whom PaliAPI is called: over stdio, as the user who started the server; over HTTP, as whoever sends the request.

No key is stored: over HTTP, a client exists for one request, with the key in its Authorization header.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from mcp.server.context import ServerRequestContext
from paliapi_client import AsyncClient

from paliapi_mcp.settings import Settings

Context = ServerRequestContext[Any, Any]
Connect = Callable[[Context], AbstractAsyncContextManager[AsyncClient]]

_BEARER = re.compile(r"[Bb]earer +([\x21-\x7e]{1,512}) *")


class NoKey(Exception):
    """The request has no key."""


def bearer_key(headers: Mapping[str, str]) -> str | None:
    """Return the key in an Authorization header."""
    match = _BEARER.fullmatch(headers.get("authorization", ""))
    return match[1] if match else None


def connector(settings: Settings) -> Connect:
    """Return what opens a client for a request."""

    @asynccontextmanager
    async def connect(context: Context) -> AsyncIterator[AsyncClient]:
        key = settings.key
        if key is None:
            key = None if context.request is None else bearer_key(context.request.headers)
        if key is None:
            raise NoKey
        client = AsyncClient(base_url=settings.url, api_key=key, timeout=settings.timeout_s, max_retries=1)
        async with client:
            yield client

    return connect
