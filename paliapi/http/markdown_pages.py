"""The documentation as Markdown, and `llms.txt`, which lists it for agents."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

from paliapi.env import ROOT
from paliapi.errors import NotFound
from paliapi.http.problems import error_response, refusal

LLMS_TXT = ROOT / "docs" / "llms.txt"
_MARKDOWN, _YAML = "text/markdown; charset=utf-8", "application/yaml"
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class _Page:
    content: bytes
    content_type: str


def page(request: HttpRequest, path: str) -> HttpResponse:
    """Serve a page under its path in the repository, so that relative links between pages work."""
    stored = _pages().get(path)
    if stored is None:
        return error_response(NotFound("There is no such URL."))
    return _serve(request, stored)


def llms_txt(request: HttpRequest) -> HttpResponse:
    """Serve the list of pages, with the requested address in its links."""
    server = request.build_absolute_uri("/").rstrip("/")
    text = _LINK.sub(lambda link: f"]({server}{_absolute(link[1])})", LLMS_TXT.read_text(encoding="utf-8"))
    return _serve(request, _Page(text.replace("SERVER", server).encode(), "text/plain; charset=utf-8"))


@cache
def _pages() -> dict[str, _Page]:
    """Return every page by its path. Only these are served, whatever a path looks like."""
    return {
        file.relative_to(ROOT).as_posix(): _Page(file.read_bytes(), _YAML if file.suffix == ".yaml" else _MARKDOWN)
        for file in _files()
    }


def _files() -> Iterator[Path]:
    docs = ROOT / "docs"
    yield from docs.glob("*.md")
    yield from docs.glob("decisions/*.md")
    yield from docs.glob("openapi.yaml")
    yield from ROOT.glob("embeddings/README.md")


def _absolute(link: str) -> str:
    """Return the path on the server of a link relative to the folder of the documentation."""
    return f"/{link.removeprefix('../')}" if link.startswith("../") else f"/docs/{link}"


def _serve(request: HttpRequest, served: _Page) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return refusal("method_not_allowed")
    etag = f'"{hashlib.sha256(served.content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match", "").removeprefix("W/") == etag:
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(served.content, content_type=served.content_type, headers=headers)
