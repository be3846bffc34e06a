"""The command `paliapi-mcp`."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import uvicorn
from mcp.server.stdio import stdio_server

from paliapi_mcp.http import PATH, http_app
from paliapi_mcp.server import build_server
from paliapi_mcp.settings import Budget, Settings

_DEFAULT_URL = "http://localhost:8001"
_LOCAL = {"127.0.0.1", "::1", "localhost"}
_MAX_CONNECTIONS = 256


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Serve until the input ends, or over HTTP until a signal."""
    options = parser().parse_args(argv)
    try:
        settings = settings_of(options, os.environ if environ is None else environ)
    except ValueError as error:
        sys.stderr.write(f"paliapi-mcp: {error}\n")
        raise SystemExit(2) from None
    if options.http:
        _serve_http(settings, options)
    else:
        anyio.run(_serve_stdio, settings)


def settings_of(options: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Return the settings, or raise ValueError with what is wrong."""
    url = options.url or environ.get("PALIAPI_URL") or _DEFAULT_URL
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("PALIAPI_URL must start with http:// or https://.")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("PALIAPI_URL must be an address without a user name and a query.")
    key = None if options.http else environ.get("PALIAPI_API_KEY", "").strip()
    if key == "":
        raise ValueError("set PALIAPI_API_KEY to an API key of PaliAPI.")
    if options.http and options.allow_folder:
        raise ValueError("--allow-folder is for stdio: over HTTP, the files here are not the caller's.")
    return Settings(
        url=url,
        key=key,
        budget=Budget(images=options.max_images, image_kb=options.max_image_kb, characters=options.max_characters),
        read_only=options.read_only,
        folders=tuple(_folder(path) for path in options.allow_folder),
    )


def _folder(path: str) -> Path:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ValueError(f"--allow-folder {path}: there is no such folder.")
    return folder.resolve()


def _number(low: int, high: int) -> "type[int]":
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"must be from {low} to {high}")
        return number

    return parse  # type: ignore[return-value]


def parser() -> argparse.ArgumentParser:
    budget = Budget()
    options = argparse.ArgumentParser(
        prog="paliapi-mcp",
        description="Let agents search the documents in PaliAPI, over the Model Context Protocol.",
        epilog="PALIAPI_URL is the address of PaliAPI. PALIAPI_API_KEY is the key over stdio; over HTTP, every request "
        "brings its own in the Authorization header.",
    )
    options.add_argument("--version", action="version", version=version("paliapi-mcp"))
    options.add_argument("--url", help=f"address of PaliAPI; default: PALIAPI_URL, or {_DEFAULT_URL}")
    options.add_argument("--read-only", action="store_true", help="offer no tools that change documents")
    options.add_argument(
        "--allow-folder",
        action="append",
        default=[],
        metavar="PATH",
        help="files below may be added by path; stdio only",
    )
    for name, default, low, high, text in (
        ("--max-images", budget.images, 0, 20, "images in an answer"),
        ("--max-image-kb", budget.image_kb, 20, 20_000, "kB of all images in an answer, in base64"),
        ("--max-characters", budget.characters, 1_000, 1_000_000, "characters of page text in an answer"),
    ):
        options.add_argument(
            name, type=_number(low, high), default=default, metavar="N", help=f"{text}; default: {default}"
        )
    options.add_argument("--http", action="store_true", help=f"serve streamable HTTP at {PATH} instead of stdio")
    options.add_argument("--host", default="127.0.0.1", help="address to listen at; default: 127.0.0.1")
    options.add_argument("--port", type=_number(0, 65_535), default=8010, help="default: 8010")
    options.add_argument(
        "--allowed-host", action="append", default=[], metavar="NAME", help="host name in URLs, behind a proxy"
    )
    return options


async def _serve_stdio(settings: Settings) -> None:
    server = build_server(settings)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _serve_http(settings: Settings, options: argparse.Namespace) -> None:
    if options.host not in _LOCAL:
        sys.stderr.write("paliapi-mcp: keys travel in the requests, so put a server with TLS in front.\n")
    app = http_app(build_server(settings), host=options.host, allowed_hosts=options.allowed_host)
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=15,
        log_level="info",
        server_header=False,
    )
