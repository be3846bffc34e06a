"""The service without a port, on an event loop of its own: its model is loaded before anybody asks."""

import asyncio
import threading
from typing import Any

import httpx
import orjson

from embeddings.backends.choose import choose
from embeddings.config import Settings
from embeddings.server.app import create_app
from embeddings.server.engine import EmbeddingEngine


class CannotStart(Exception):
    """The model could not be loaded; the log says why."""


class Background:
    """Answers bodies of requests, from any thread and any other event loop."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="service", daemon=True)
        self._engine = EmbeddingEngine(choose(settings), settings=settings)
        transport = httpx.ASGITransport(create_app(self._engine, settings=settings), raise_app_exceptions=False)
        # What takes too long is ended by the service itself.
        self._client = httpx.AsyncClient(transport=transport, base_url="http://embeddings", timeout=None)  # noqa: S113

    def start(self) -> None:
        """Return when the model is loaded and has proved itself, or raise CannotStart."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._load(), self._loop).result()

    async def _load(self) -> None:
        self._engine.start()
        await self._engine.wait_until_loaded()
        if self._engine.state != "ready":
            raise CannotStart("The model could not be loaded; the log says why.")

    async def ask(self, route: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the JSON that the route answers."""
        asked = asyncio.run_coroutine_threadsafe(self._client.post(route, content=orjson.dumps(body)), self._loop)
        answer = await asyncio.wrap_future(asked)
        found: dict[str, Any] = orjson.loads(answer.content)
        retry_after = answer.headers.get("retry-after")
        return answer.status_code, found | ({"retry_after_s": int(retry_after)} if retry_after else {})

    def stop(self) -> None:
        """Finish what was begun and end."""
        asyncio.run_coroutine_threadsafe(self._engine.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
