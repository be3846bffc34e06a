"""The HTTP door: one ASGI application, the same behind every launcher."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embeddings import answers, auth, intake, opening
from embeddings.backends.base import Prepared
from embeddings.config import Settings
from embeddings.contract import NPZ, MultiVector
from embeddings.engine import Engine, Work
from embeddings.errors import CannotEmbed, MethodNotAllowed, NoSuchRoute, NotReady, Problem, TooLarge
from embeddings.intake import Format, Input

log = logging.getLogger(__name__)


def create_app(engine: Engine, *, settings: Settings) -> Starlette:
    """The application; it starts the engine when it starts and stops it when it stops."""
    door = _Door(engine, settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        engine.start()
        yield
        await engine.stop()

    app = Starlette(
        routes=[
            Route("/embeddings", door.embeddings, methods=["POST"]),
            Route("/morphik/embeddings", door.morphik_embeddings, methods=["POST"]),
            Route("/health", door.health),
            Route("/ready", door.ready),
            Route("/ping", door.ping),
        ],
        middleware=[Middleware(_NameTheSpace, engine=engine)],
        exception_handlers={
            Problem: _problem,
            HTTPException: _foreign,
            Exception: _unforeseen,
            ClientDisconnect: _gone,
        },
        lifespan=lifespan,
    )
    # A redirect to another spelling would lose the body of clients that do not follow it.
    app.router.redirect_slashes = False
    return app


class _Door:
    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings

    async def embeddings(self, request: Request) -> Response:
        default: Format = "npz" if NPZ in request.headers.get("accept", "") else "float"
        return await self._embeddings(request, default=default)

    async def morphik_embeddings(self, request: Request) -> Response:
        return await self._embeddings(request, default="npz")

    async def _embeddings(self, request: Request, *, default: Format) -> Response:
        body = await self._body(request)
        order = intake.embeddings(body, default_format=default, settings=self.settings)
        embedded = await self._embed(order.inputs)
        space = self.engine.info.space
        return await self.engine.prepare(lambda: answers.embeddings(order, embedded, space=space))

    async def health(self, _: Request) -> Response:
        info = self.engine.info
        failed = self.engine.state == "failed"
        content = {
            "status": self.engine.state,
            "backend": info.backend,
            "model": info.space.model,
            "revision": info.space.revision,
            "dim": info.space.dim,
            "device": info.device,
            "dtype": info.dtype,
            "languages": info.languages,
            "warnings": info.warnings,
        }
        return answers.as_json(content, status=503 if failed else 200)

    async def ready(self, _: Request) -> Response:
        if self.engine.state != "ready":
            raise NotReady(f"The model is {self.engine.state}.", retry_after_s=5)
        return answers.as_json({"status": "ready"})

    async def ping(self, _: Request) -> Response:
        return Response(status_code={"ready": 200, "loading": 204}.get(self.engine.state, 503))

    async def _embed(self, inputs: Sequence[Input]) -> list[MultiVector]:
        opened = await self.engine.prepare(partial(opening.unwrap, inputs, settings=self.settings))
        works = [Work("image" if one.image else "text", partial(self._prepared, one)) for one in opened]
        return await self.engine.embed(works)

    def _prepared(self, opened: opening.Opened) -> Prepared:
        return self.engine.backend.prepare(opening.item(opened, settings=self.settings))

    async def _body(self, request: Request) -> dict[str, object]:
        """The JSON of an authorised request, read no further than the limit."""
        auth.check(request.headers, settings=self.settings)
        most = self.settings.max_body
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise TooLarge(f"The body has more than {most} bytes; send fewer inputs at once.")
            parts.append(part)
        return await self.engine.prepare(lambda: intake.parse(b"".join(parts)))


async def _problem(_: Request, found: Exception) -> Response:
    assert isinstance(found, Problem)  # noqa: S101 - the type of Starlette's handlers is wider than their use
    return answers.problem(found)


async def _foreign(_: Request, found: Exception) -> Response:
    missing = getattr(found, "status_code", 404) != 405
    return answers.problem(NoSuchRoute() if missing else MethodNotAllowed())


async def _unforeseen(_: Request, found: Exception) -> Response:
    log.error("A request failed.", exc_info=found)
    return answers.problem(CannotEmbed("The service failed; its log says why."))


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


class _NameTheSpace:
    """Adds the model, its revision and dim to every answer, errors included."""

    def __init__(self, app: ASGIApp, *, engine: Engine) -> None:
        self.app = app
        self.engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *answers.space_headers(self.engine.info.space)]
            await send(message)

        await self.app(scope, receive, named if scope["type"] == "http" else send)
