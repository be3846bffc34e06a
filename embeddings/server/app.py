"""One ASGI application, the same behind every launcher."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embeddings.config import Settings
from embeddings.errors import EmbeddingFailed, MethodNotAllowed, RequestError, RouteNotFound
from embeddings.server import responses
from embeddings.server.engine import EmbeddingEngine
from embeddings.server.routes import Routes

log = logging.getLogger(__name__)


def create_app(engine: EmbeddingEngine, *, settings: Settings) -> Starlette:
    """The application; it starts the engine when it starts and stops it when it stops."""
    doors = Routes(engine, settings=settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.start()
        yield
        await engine.stop()

    routes = [
        Route("/embeddings", doors.embeddings, methods=["POST"]),
        Route("/morphik/embeddings", doors.morphik_embeddings, methods=["POST"]),
        Route("/embed", doors.embed, methods=["POST"]),
        Route("/rerank", doors.rerank, methods=["POST"]),
        Route("/health", doors.health),
        Route("/ready", doors.ready),
        Route("/ping", doors.ping),
        Route("/metrics", doors.metrics),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(_EveryAnswer, engine=engine, routes=frozenset(route.path for route in routes))],
        exception_handlers={
            RequestError: _problem,
            HTTPException: _foreign,
            ClientDisconnect: _gone,
            Exception: _unforeseen,
        },
        lifespan=lifespan,
    )
    # A redirect to another spelling would lose the body of clients that do not follow it.
    app.router.redirect_slashes = False
    return app


async def _problem(_: Request, found: Exception) -> Response:
    return responses.problem(found if isinstance(found, RequestError) else EmbeddingFailed())


async def _foreign(_: Request, found: Exception) -> Response:
    if not (isinstance(found, HTTPException) and found.status_code == 405):
        return responses.problem(RouteNotFound())
    response = responses.problem(MethodNotAllowed())
    response.headers.update(found.headers or {})
    return response


async def _unforeseen(_: Request, found: Exception) -> Response:
    log.error("A request failed.", exc_info=found)
    return responses.problem(EmbeddingFailed("The service failed; its log says why."))


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


class _EveryAnswer:
    """Names the model, its revision and dim in every answer, errors included, and counts it."""

    def __init__(self, app: ASGIApp, *, engine: EmbeddingEngine, routes: frozenset[str]) -> None:
        self.app = app
        self.engine = engine
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, metrics = time.monotonic(), self.engine.metrics
        route = scope["path"] if scope["path"] in self.routes else "other"

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *responses.space_headers(self.engine.info.space)]
                metrics.requests.labels(route, str(message["status"])).inc()
                metrics.request_seconds.labels(route).observe(time.monotonic() - began)
            await send(message)

        await self.app(scope, receive, named)
