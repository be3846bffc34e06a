"""The official client, connected to `paliapi-mcp` over either transport, and the parts of answers."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fake_paliapi import READ_KEY
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ImageContent, ResourceLink, TextContent


@asynccontextmanager
async def over_http(url: str, key: str = READ_KEY, *, mode: str = "auto") -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as http_client,
        Client(streamable_http_client(f"{url}/mcp", http_client=http_client), mode=mode) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(api_url: str, *args: str, key: str = READ_KEY, mode: str = "auto") -> AsyncIterator[Client]:
    environ = {"PALIAPI_URL": api_url, "PALIAPI_API_KEY": key}
    server = StdioServerParameters(command=sys.executable, args=["-m", "paliapi_mcp", *args], env=environ)
    async with Client(server, mode=mode) as client:
        yield client


async def tool_names(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


def texts(result: CallToolResult) -> list[str]:
    return [block.text for block in result.content if isinstance(block, TextContent)]


def images(result: CallToolResult) -> list[ImageContent]:
    return [block for block in result.content if isinstance(block, ImageContent)]


def links(result: CallToolResult) -> list[str]:
    return [block.uri for block in result.content if isinstance(block, ResourceLink)]


def refusal(result: CallToolResult) -> str:
    """Return the message of a result that is an error."""
    assert result.is_error
    [text] = texts(result)
    return text
