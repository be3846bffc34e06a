"""The route handlers: each parses a request, has it processed and returns the response."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from embeddings.backends.base import Prepared
from embeddings.config import Settings
from embeddings.contract import CROSS_ENCODER, NPZ, MultiVector
from embeddings.errors import NotReady, RerankerMissing
from embeddings.server import images, pairs
from embeddings.server.auth import authenticate
from embeddings.server.body import SMALL_BODY_BYTES, MemoryBudget, announced_size, cancel_on_disconnect, read_body
from embeddings.server.decode import EncodedInput, decode_base64, decode_item
from embeddings.server.engine import EmbeddingEngine, InputTask
from embeddings.server.requests import (
    EmbeddingRequest,
    EncodingFormat,
    Input,
    parse_embed,
    parse_embeddings,
    parse_json,
)
from embeddings.server.rerank import parse_rerank, rank
from embeddings.server.responses import embeddings_response, json_response


class Routes:
    """The handlers of all routes, for one engine."""

    def __init__(self, engine: EmbeddingEngine, *, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.memory = MemoryBudget(max(settings.max_memory, settings.max_body))

    async def embeddings(self, request: Request) -> Response:
        async with self._read(request) as body:
            parsed = parse_embeddings(body, default_format=_accepted_format(request), settings=self.settings)
            return await cancel_on_disconnect(request, self._respond(parsed))

    async def morphik_embeddings(self, request: Request) -> Response:
        """Serve a client that gives up on any error except 413: wait inside the request instead of refusing it."""
        async with self._read(request, wait=True) as body:
            parsed = parse_embeddings(body, default_format="npz", settings=self.settings)
            return await cancel_on_disconnect(request, self._respond(parsed, wait=True))

    async def embed(self, request: Request) -> Response:
        async with self._read(request) as body:
            parsed = parse_embed(body, default_format=_accepted_format(request), settings=self.settings)
            return await cancel_on_disconnect(request, self._respond(parsed))

    async def rerank(self, request: Request) -> Response:
        async with self._read(request) as body:
            if pairs.wants_reranker(body):
                return await cancel_on_disconnect(request, self._rerank_pairs(body))
            space = self.engine.info.space
            parsed = parse_rerank(body, dim=space.dim, settings=self.settings)
            embedded = await cancel_on_disconnect(request, self._embed(parsed.inputs))
            results = await self.engine.run_in_pool(lambda: rank(parsed, embedded))
            return json_response({"model": space.model, "method": "maxsim", "results": results})

    async def _rerank_pairs(self, body: dict[str, Any]) -> Response:
        reranker = self.engine.reranker
        if reranker is None:
            raise RerankerMissing
        parsed = pairs.parse_pairs(body, settings=self.settings)
        split = partial(pairs.split_into_tasks, parsed, reranker, max_tokens=self.settings.max_queue_tokens)
        tasks = await self.engine.run_in_pool(split, lane="pair")
        results = pairs.rank(parsed, tasks, await self.engine.embed(tasks))
        space = reranker.info.space
        return json_response(
            {"model": space.model, "revision": space.revision, "method": CROSS_ENCODER, "results": results}
        )

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
            "reranker": self._describe_reranker(),
        }
        return json_response(content, status=503 if status in ("stuck", "failed") else 200)

    def _describe_reranker(self) -> dict[str, str] | None:
        if self.engine.reranker is None:
            return None
        info = self.engine.reranker.info
        return {
            "model": info.space.model,
            "revision": info.space.revision,
            "device": info.device,
            "dtype": info.dtype,
        }

    async def ready(self, _: Request) -> Response:
        if self.engine.state != "ready":
            raise NotReady(f"The model is {self.engine.state}.", retry_after_s=5)
        return json_response({"status": "ready"})

    async def ping(self, _: Request) -> Response:
        return Response(status_code={"ready": 200, "loading": 204}.get(self.engine.state, 503))

    async def metrics(self, _: Request) -> Response:
        return Response(self.engine.metrics.text(), media_type="text/plain; version=0.0.4")

    @asynccontextmanager
    async def _read(self, request: Request, *, wait: bool = False) -> AsyncIterator[dict[str, Any]]:
        """Yield the JSON of an authenticated request; its memory stays reserved until the response is built.

        A request that passes the check while the model is ready is served even if the process is stopping by then.
        """
        authenticate(request.headers, settings=self.settings)
        await self.engine.check_accepting(wait=wait)
        limit = self.settings.max_body
        size = announced_size(request, limit=limit)
        reserved = 0 if size <= SMALL_BODY_BYTES else size
        async with self.memory.reserve(reserved, timeout_s=self.settings.timeout_s):
            raw = await read_body(request, limit=limit)
            if len(raw) <= SMALL_BODY_BYTES:
                yield parse_json(raw)
            else:
                yield await self.engine.run_in_pool(partial(parse_json, raw))

    async def _respond(self, request: EmbeddingRequest, *, wait: bool = False) -> Response:
        multi_vectors = await self._embed(request.inputs, wait=wait)
        respond = partial(embeddings_response, request, multi_vectors, space=self.engine.info.space)
        return respond() if len(multi_vectors) == 1 else await self.engine.run_in_pool(respond)

    async def _embed(self, inputs: Sequence[Input], *, wait: bool = False) -> list[MultiVector]:
        decode = partial(decode_base64, inputs, settings=self.settings)
        encoded = await self.engine.run_in_pool(decode) if any(item.image for item in inputs) else decode()
        tasks = [InputTask("image" if item.image else "text", partial(self._prepare, item)) for item in encoded]
        return await self.engine.embed(tasks, wait=wait)

    def _prepare(self, encoded: EncodedInput) -> Prepared:
        item = decode_item(encoded, settings=self.settings)
        prepared = self.engine.backend.prepare(item)
        if item.image is not None:
            # A backend that was given the words may not have decoded the image.
            images.verify(item.image)
        return prepared


def _accepted_format(request: Request) -> EncodingFormat:
    return "npz" if NPZ in request.headers.get("accept", "") else "float"
