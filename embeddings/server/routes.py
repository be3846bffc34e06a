"""The routes: each reads a request, has it done, and writes the answer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from embeddings.backends.base import Prepared
from embeddings.config import Settings
from embeddings.contract import NPZ, MultiVector
from embeddings.errors import NotReady
from embeddings.server import auth, body, decode, images, requests, rerank, responses
from embeddings.server.engine import EmbeddingEngine, InputTask
from embeddings.server.requests import EmbeddingRequest, Format, Input


class Routes:
    """All of them, before one engine."""

    def __init__(self, engine: EmbeddingEngine, *, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.memory = body.Memory(max(settings.max_memory, settings.max_body))

    async def embeddings(self, request: Request) -> Response:
        async with self._asked(request) as asked:
            default: Format = "npz" if NPZ in request.headers.get("accept", "") else "float"
            order = requests.embeddings(asked, default_format=default, settings=self.settings)
            return await body.unless_gone(request, self._embedded(order))

    async def morphik_embeddings(self, request: Request) -> Response:
        """For a client that takes any refusal but 413 as the end of its job: it waits inside the request."""
        async with self._asked(request, hold=True) as asked:
            order = requests.embeddings(asked, default_format="npz", settings=self.settings)
            return await body.unless_gone(request, self._embedded(order, hold=True))

    async def embed(self, request: Request) -> Response:
        async with self._asked(request) as asked:
            default: Format = "npz" if NPZ in request.headers.get("accept", "") else "float"
            order = requests.embed(asked, default_format=default, settings=self.settings)
            return await body.unless_gone(request, self._embedded(order))

    async def rerank(self, request: Request) -> Response:
        async with self._asked(request) as asked:
            space = self.engine.info.space
            ranking = rerank.parse(asked, dim=space.dim, settings=self.settings)
            embedded = await body.unless_gone(request, self._embed(ranking.inputs))
            results = await self.engine.prepare(lambda: rerank.rank(ranking, embedded))
            return responses.as_json({"model": space.model, "results": results})

    async def health(self, _: Request) -> Response:
        info, state = self.engine.info, self.engine.state
        status = "stuck" if self.engine.stuck else state
        content = {
            "status": status,
            "backend": info.backend,
            "model": info.space.model,
            "revision": info.space.revision,
            "dim": info.space.dim,
            "device": info.device,
            "dtype": info.dtype,
            "languages": info.languages,
            "degraded": info.degraded,
            "warnings": info.warnings,
        }
        return responses.as_json(content, status=503 if status in ("stuck", "failed") else 200)

    async def ready(self, _: Request) -> Response:
        if self.engine.state != "ready":
            raise NotReady(f"The model is {self.engine.state}.", retry_after_s=5)
        return responses.as_json({"status": "ready"})

    async def ping(self, _: Request) -> Response:
        return Response(status_code={"ready": 200, "loading": 204}.get(self.engine.state, 503))

    async def metrics(self, _: Request) -> Response:
        return Response(self.engine.metrics.text(), media_type="text/plain; version=0.0.4")

    @asynccontextmanager
    async def _asked(self, request: Request, *, hold: bool = False) -> AsyncIterator[dict[str, Any]]:
        """The JSON of an authorised request; its memory is ours until the answer is made.

        Whoever passes here while the model is ready is served, even if the process is told to stop meanwhile.
        """
        auth.check(request.headers, settings=self.settings)
        await self.engine.check_open(hold=hold)
        most = self.settings.max_body
        size = body.announced(request, most=most)
        needed = 0 if size <= body.SMALL else size
        async with self.memory.of(needed, within_s=self.settings.timeout_s):
            raw = await body.read(request, most=most)
            if len(raw) <= body.SMALL:
                yield requests.parse(raw)
            else:
                yield await self.engine.prepare(partial(requests.parse, raw))

    async def _embedded(self, order: EmbeddingRequest, *, hold: bool = False) -> Response:
        embedded = await self._embed(order.inputs, hold=hold)
        answer = partial(responses.embeddings, order, embedded, space=self.engine.info.space)
        return answer() if len(embedded) == 1 else await self.engine.prepare(answer)

    async def _embed(self, inputs: Sequence[Input], *, hold: bool = False) -> list[MultiVector]:
        unwrap = partial(decode.unwrap, inputs, settings=self.settings)
        opened = await self.engine.prepare(unwrap) if any(one.image for one in inputs) else unwrap()
        works = [InputTask("image" if one.image else "text", partial(self._prepared, one)) for one in opened]
        return await self.engine.embed(works, hold=hold)

    def _prepared(self, opened: decode.Opened) -> Prepared:
        item = decode.item(opened, settings=self.settings)
        prepared = self.engine.backend.prepare(item)
        if item.image is not None:
            # A model that was given the words need not have looked at it.
            images.check(item.image)
        return prepared
