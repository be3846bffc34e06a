"""A PaliAPI that is not real, and `paliapi-mcp` in front of it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from connections import over_http
from fake_paliapi import FakeAPI, served
from mcp import Client

from paliapi_mcp.http import http_app
from paliapi_mcp.server import build_server
from paliapi_mcp.settings import Settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def served_api() -> Iterator[FakeAPI]:
    api = FakeAPI()
    with served(api.app()) as url:
        api.url = url
        yield api


@pytest.fixture
def api(served_api: FakeAPI) -> FakeAPI:
    served_api.reset()
    return served_api


@pytest.fixture(scope="session")
def http_url(served_api: FakeAPI) -> Iterator[str]:
    """Serve paliapi-mcp over HTTP with its default settings."""
    settings = Settings(url=served_api.url)
    with served(http_app(build_server(settings), host="127.0.0.1", allowed_hosts=[])) as url:
        yield url


@pytest.fixture
async def client(api: FakeAPI, http_url: str) -> AsyncIterator[Client]:
    async with over_http(http_url) as connected:
        yield connected
