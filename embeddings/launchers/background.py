"""The service without a port, on an event loop of its own, with its model loaded before the first request."""

import asyncio
import threading
from typing import Any

import httpx
import orjson

from embeddings.backends.choose import choose_backend, choose_reranker
from embeddings.config import Settings
from embeddings.server.app import create_app
from embeddings.server.engine import EmbeddingEngine


class StartupFailed(Exception):
    """The model could not be loaded; the log contains the reason."""


class BackgroundService:
    """Handles request bodies from any thread and any other event loop."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="service", daemon=True)
        self._engine = EmbeddingEngine(choose_backend(settings), settings=settings, reranker=choose_reranker(settings))
        transport = httpx.ASGITransport(create_app(self._engine, settings=settings), raise_app_exceptions=False)
        # The service itself enforces the timeout.
        self._client = httpx.AsyncClient(transport=transport, base_url="http://embeddings", timeout=None)  # noqa: S113

    def start(self) -> None:
        """Load and test the model, or raise StartupFailed."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._load(), self._loop).result()

    async def _load(self) -> None:
        self._engine.start()
        await self._engine.wait_until_loaded()
        if self._engine.state != "ready":
            raise StartupFailed("The model could not be loaded; see the log.")

    async def post(self, route: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send a request to a route and return the status and the JSON of the response."""
        call = asyncio.run_coroutine_threadsafe(self._client.post(route, content=orjson.dumps(body)), self._loop)
        response = await asyncio.wrap_future(call)
        content: dict[str, Any] = orjson.loads(response.content)
        retry_after = response.headers.get("retry-after")
        return response.status_code, content | ({"retry_after_s": int(retry_after)} if retry_after else {})

    def stop(self) -> None:
        """Finish accepted work and stop."""
        asyncio.run_coroutine_threadsafe(self._engine.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
