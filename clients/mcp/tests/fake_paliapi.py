"""A small PaliAPI over HTTP, which records requests and returns what a test wants."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import uvicorn
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

READ_KEY = "pali_read"
WRITE_KEY = "pali_write"
SEARCH_KEY = "pali_search"
SCOPES = {READ_KEY: ["read", "search"], WRITE_KEY: ["read", "search", "write"], SEARCH_KEY: ["search"]}


def picture(size: tuple[int, int] = (850, 1100), *, kind: str = "JPEG", noise: bool = False) -> bytes:
    """Return a page whose left half is black and whose right half is white; or noise, which compresses badly."""
    image = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGB", size, "white")
    if not noise:
        ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill="black")
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


PAGE = picture()


def hit(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "collection_name": "reports",
        "collection_id": 1,
        "collection_metadata": {},
        "document_name": "sea/lights.pdf",
        "document_id": 1,
        "document_metadata": {"year": 2026},
        "page_number": number,
        "page_id": number,
        "raw_score": 9.0,
        "normalized_score": 0.9,
        "img_base64": base64.b64encode(PAGE).decode(),
        "image_url": "http://elsewhere.test/image",
        "thumbnail_url": None,
        "width": 850,
        "height": 1100,
        "text": f"Text of page {number}",
        **changed,
    }


def receipt(*, degraded: bool) -> dict[str, Any]:
    return {
        "mode": "lexical" if degraded else "exact",
        "ranking": "lexical" if degraded else "maxsim",
        "degraded": degraded,
        "space": None,
        "pages_in_scope": 3,
        "pages_scored": 3,
        "vector_storage": None,
        "vectors_per_page": None,
        "pages_matched": None,
        "pages_left_out": 0,
        "reranking": None,
        "ms": {"score": 1.0},
    }


def regions(*boxes: list[float]) -> dict[str, Any]:
    return {
        "boxes": [{"box": box, "score": 0.9, "tokens": [0], "text": "here"} for box in boxes],
        "n_x": 1,
        "n_y": 1,
        "tokens": [],
    }


def document(name: str = "sea/lights.pdf", **changed: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "name": name,
        "metadata": {"year": 2026},
        "url": "",
        "num_pages": 3,
        "pages_without_text": 0,
        "collection_name": "reports",
        "pages": None,
        "status": "ready",
        "pages_total": 3,
        "pages_done": 3,
        "reused_pages": 0,
        "skipped_pages": [],
        "waiting_for": None,
        "error": None,
        "sha256": None,
        "created_at": "2026-11-21T09:30:00.000000Z",
        "updated_at": "2026-11-21T09:30:00.000000Z",
        **changed,
    }


def collection(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "name": name,
        "metadata": {},
        "num_documents": 2,
        "vector_storage": "full",
        "created_at": "2026-11-21T09:30:00.000000Z",
        "updated_at": "2026-11-21T09:30:00.000000Z",
        **changed,
    }


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    body = {"type": f"/v1/docs/errors#{code}", "title": code, "status": status, "detail": detail, "code": code}
    body |= {"errors": [], "request_id": "0af7651916cd43dd", **more}
    return JSONResponse(body, status, media_type="application/problem+json")


@dataclass
class FakeAPI:
    """What the API holds, and what it was asked."""

    url: str = ""
    hits: list[dict[str, Any]] = field(default_factory=list)
    collections: list[dict[str, Any]] = field(default_factory=lambda: [collection("reports"), collection("drafts")])
    documents: list[dict[str, Any]] = field(default_factory=lambda: [document()])
    texts: dict[int, str] = field(default_factory=lambda: {1: "How far a light is seen"})
    image: bytes = PAGE
    failure: Response | None = None
    keys: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    cookies: list[str | None] = field(default_factory=list)
    degraded: bool = False
    links_followed: int = 0
    max_list: int = 10_000

    def reset(self) -> None:
        self.__dict__.update(FakeAPI(url=self.url).__dict__)

    def app(self) -> ASGIApp:
        """Return the application: the routes that the tools use."""
        page = "/v1/documents/{name:path}/pages/{number:int}"
        return Starlette(
            routes=[
                Route("/v1/me/", self._for_key(self._me)),
                Route("/v1/files/pages/x", self._linked_image),
                Route("/v1/search/", self._for_key(self._search), methods=["POST"]),
                Route("/v1/collections/", self._for_key(self._collections)),
                Route("/v1/documents/", self._for_key(self._documents)),
                Route("/v1/documents/upsert-document/", self._for_key(self._upsert), methods=["POST"]),
                Route(page, self._for_key(self._page)),
                Route(f"{page}/image", self._for_key(self._image)),
                Route("/v1/documents/{name:path}/", self._for_key(self._document), methods=["GET", "DELETE"]),
            ]
        )

    def _for_key(self, endpoint: Any) -> Any:
        async def checked(request: Request) -> Response:
            key = request.headers.get("authorization", "").removeprefix("Bearer ")
            self.keys.append(key)
            self.cookies.append(request.headers.get("cookie"))
            if key not in SCOPES:
                return problem(401, "unauthenticated", "No valid API key.")
            if self.failure is not None:
                return self.failure
            response: Response = await endpoint(request)
            response.set_cookie("session", key)
            return response

        return checked

    async def _me(self, _request: Request) -> Response:
        scopes = SCOPES[self.keys[-1]]
        return JSONResponse(
            {"email": "a@b.c", "key_id": 1, "key_name": "k", "scopes": scopes, "collections": None, "expires_at": None}
        )

    async def _search(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        hits = self.hits[: body.get("top_k", 3)]
        if body.get("images") == "none":
            hits = [{**one, "img_base64": "", "image_url": None} for one in hits]
        return Response(
            json.dumps({"query": body["query"], "results": hits, "receipt": receipt(degraded=self.degraded)}),
            media_type="application/json",
        )

    async def _collections(self, _request: Request) -> Response:
        return JSONResponse(self.collections)

    async def _documents(self, request: Request) -> Response:
        if int(request.query_params.get("limit", 1)) > self.max_list:
            return problem(422, "invalid_limit", "The limit is too large.")
        name = request.query_params.get("collection_name", "default_collection")
        return JSONResponse([one for one in self.documents if name in ("all", one["collection_name"])])

    def _found(self, request: Request) -> dict[str, Any] | None:
        name, where = request.path_params["name"], request.query_params.get("collection_name")
        return next(
            (one for one in self.documents if one["name"] == name and where in (one["collection_name"], "all")), None
        )

    async def _document(self, request: Request) -> Response:
        found = self._found(request)
        if found is None:
            return problem(404, "document_not_found", "There is no document with this name.")
        if request.method == "DELETE":
            self.deleted.append(found["name"])
            return Response(status_code=204)
        return JSONResponse(found)

    async def _page(self, request: Request) -> Response:
        found, number = self._found(request), request.path_params["number"]
        if found is None or number not in self.texts:
            return problem(404, "page_not_found", "The document has no page with this number.")
        text = self.texts[number]
        more = {"text": text, "text_source": "file" if text else "none", "scripts": ["Latin"], "unread_script": None}
        names = {"collection_name": found["collection_name"], "document_name": found["name"], "document_id": 1}
        numbers = {"page_number": number, "page_id": number, "width": 850, "height": 1100}
        return JSONResponse({**names, **numbers, **more, "image_url": "http://x.test/", "thumbnail_url": None})

    async def _image(self, _request: Request) -> Response:
        return Response(self.image, media_type="image/jpeg")

    async def _linked_image(self, _request: Request) -> Response:
        self.links_followed += 1
        return Response(self.image, media_type="image/jpeg")

    async def _upsert(self, request: Request) -> Response:
        if request.headers["content-type"].startswith("application/json"):
            body = await request.json()
        else:
            async with request.form() as form:
                body = {key: value if isinstance(value, str) else await value.read() for key, value in form.items()}
        self.bodies.append(body)
        accepted = {"status": "queued", "id": 9, "name": body["name"], "collection_name": body["collection_name"]}
        return JSONResponse({"detail": "Document is being processed in the background.", **accepted}, 202)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application from a thread, and yield its URL."""
    config = uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def announce(**options: Any) -> None:
        await startup(**options)
        started.set()

    server.startup = announce  # type: ignore[method-assign,assignment]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(timeout=20)
        [listener] = server.servers
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
