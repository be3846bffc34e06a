"""The caller of PaliAPI: over stdio, the user who started the server; over HTTP, whoever sends the request.

No key is stored: over HTTP, a client exists for one request, with the key in its Authorization header.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any

import httpx
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from paliapi_client import AsyncClient

from paliapi_mcp.settings import Settings

Context = ServerRequestContext[httpx.AsyncClient, Any]
Connect = Callable[[Context], AbstractAsyncContextManager[AsyncClient]]

_BEARER = re.compile(r"[Bb]earer +([\x21-\x7e]{1,512}) *")


_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


class NoKey(Exception):
    """The request has no key."""


def bearer_key(headers: Mapping[str, str]) -> str | None:
    """Return the key in an Authorization header."""
    match = _BEARER.fullmatch(headers.get("authorization", ""))
    return match[1] if match else None


@asynccontextmanager
async def connections(_server: Server[httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    """Open what all callers share: connections, and nothing that one could get from another, such as cookies."""
    headers = {"User-Agent": f"paliapi-mcp/{version('paliapi-mcp')}"}
    async with httpx.AsyncClient(headers=headers, limits=_LIMITS) as http:
        http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield http


def connector(settings: Settings) -> Connect:
    """Return what opens a client for a request."""

    @asynccontextmanager
    async def connect(context: Context) -> AsyncIterator[AsyncClient]:
        key = settings.key
        if key is None:
            key = None if context.request is None else bearer_key(context.request.headers)
        if key is None:
            raise NoKey
        yield AsyncClient(
            settings.url, key, timeout=settings.timeout_s, max_retries=1, http_client=context.lifespan_context
        )

    return connect
