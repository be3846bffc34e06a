"""The ASGI application, the same for every launcher."""

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
from embeddings.server.engine import EmbeddingEngine
from embeddings.server.responses import error_response, space_headers
from embeddings.server.routes import Routes

log = logging.getLogger(__name__)


def create_app(engine: EmbeddingEngine, *, settings: Settings) -> Starlette:
    """Return an application that starts and stops the engine with itself."""
    handlers = Routes(engine, settings=settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.start()
        yield
        await engine.stop()

    routes = [
        Route("/embeddings", handlers.embeddings, methods=["POST"]),
        Route("/morphik/embeddings", handlers.morphik_embeddings, methods=["POST"]),
        Route("/embed", handlers.embed, methods=["POST"]),
        Route("/rerank", handlers.rerank, methods=["POST"]),
        Route("/health", handlers.health),
        Route("/ready", handlers.ready),
        Route("/ping", handlers.ping),
        Route("/metrics", handlers.metrics),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(_ResponseMiddleware, engine=engine, routes=frozenset(route.path for route in routes))],
        exception_handlers={
            RequestError: _on_request_error,
            HTTPException: _on_http_exception,
            ClientDisconnect: _on_disconnect,
            Exception: _on_unexpected_error,
        },
        lifespan=lifespan,
    )
    # Clients that do not follow a redirect to another spelling would lose the body.
    app.router.redirect_slashes = False
    return app


async def _on_request_error(_: Request, error: Exception) -> Response:
    return error_response(error if isinstance(error, RequestError) else EmbeddingFailed())


async def _on_http_exception(_: Request, error: Exception) -> Response:
    if not (isinstance(error, HTTPException) and error.status_code == 405):
        return error_response(RouteNotFound())
    response = error_response(MethodNotAllowed())
    response.headers.update(error.headers or {})
    return response


async def _on_unexpected_error(_: Request, error: Exception) -> Response:
    log.error("A request failed.", exc_info=error)
    return error_response(EmbeddingFailed("The service failed; see its log."))


async def _on_disconnect(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


class _ResponseMiddleware:
    """Adds the headers of the vector space to every response, errors included, and counts it."""

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

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *space_headers(self.engine.info.space)]
                metrics.requests.labels(route, str(message["status"])).inc()
                metrics.request_seconds.labels(route).observe(time.monotonic() - began)
            await send(message)

        await self.app(scope, receive, send_with_headers)
