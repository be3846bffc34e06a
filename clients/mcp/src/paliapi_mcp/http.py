"""Streamable HTTP: each request stands alone, with its caller's key, and without a session."""

from contextlib import ExitStack

import anyio
import httpx
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paliapi_mcp.callers import bearer_key

PATH = "/mcp"
MAX_BODY_BYTES = 17_000_000  # a file of 12 MB in base64
# Larger bodies need one of a few places, so that many of them at once do not take all memory.
SMALL_BODY_BYTES = 262_144
_LARGE_BODIES = 8
_BODY_WITHIN_S = 30.0


def http_app(
    server: Server[httpx.AsyncClient],
    *,
    host: str,
    allowed_hosts: list[str],
    body_within_s: float = _BODY_WITHIN_S,
    large_bodies: int = _LARGE_BODIES,
) -> ASGIApp:
    """Return the application. With `allowed_hosts`, requests for other hosts, and from pages of others, are refused."""
    security = None
    if allowed_hosts:
        origins = [f"{scheme}://{name}" for scheme in ("https", "http") for name in allowed_hosts]
        security = TransportSecuritySettings(allowed_hosts=allowed_hosts, allowed_origins=origins)
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        host=host,
        transport_security=security,
        max_request_body_size=MAX_BODY_BYTES,
    )
    return _Gate(app, body_within_s=body_within_s, large_bodies=large_bodies)


class _Gate:
    """What comes before the protocol: the path, the method, the key, and a body that arrives in time."""

    def __init__(self, app: ASGIApp, *, body_within_s: float, large_bodies: int) -> None:
        self._app = app
        self._body_within_s = body_within_s
        self._places_left = large_bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        with ExitStack() as held:
            try:
                with anyio.fail_after(self._body_within_s):
                    body = await self._body(receive, held)
            except TimeoutError:
                body = _problem(408, "The body did not arrive in time.")
            if isinstance(body, Response):
                await body(scope, receive, send)
            else:
                await self._app(scope, _replayed(body, receive), send)

    async def _body(self, receive: Receive, held: ExitStack) -> bytes | Response:
        """Return the body, or the response that refuses it; hold a place for a large one."""
        body, has_place = bytearray(), False
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > MAX_BODY_BYTES:
                return _problem(413, f"The body has more than {MAX_BODY_BYTES} bytes.")
            if len(body) > SMALL_BODY_BYTES and not has_place:
                if not self._places_left:
                    return _problem(503, "Other large requests are being served; try again.", **{"Retry-After": "5"})
                has_place = True
                self._places_left -= 1
                held.callback(self._leave)
            if not message.get("more_body", False):
                return bytes(body)

    def _leave(self) -> None:
        self._places_left += 1


def _refusal(scope: Scope) -> Response | None:
    if scope["path"] == "/healthz":
        return PlainTextResponse("ok\n")
    if scope["path"] != PATH:
        return _problem(404, f"The Model Context Protocol is served at {PATH}.")
    if scope["method"] != "POST":
        return _problem(405, "There are no sessions and no streams here: use POST.", Allow="POST")
    if bearer_key(Headers(scope=scope)) is None:
        detail = "Send the header `Authorization: Bearer KEY` with an API key of PaliAPI."
        return _problem(401, detail, **{"WWW-Authenticate": 'Bearer realm="PaliAPI"'})
    return None


def _problem(status: int, detail: str, **headers: str) -> Response:
    body = {"status": status, "detail": detail}
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def _replayed(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
