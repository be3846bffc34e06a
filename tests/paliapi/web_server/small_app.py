"""A small WSGI application for tests of the web server."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

_FOLDER = Path(os.environ["FOLDER"])  # noqa: TID251 - a process of its own
_TEXT = b"0123456789"

_StartResponse = Callable[..., Any]


class _Application:
    def __call__(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        _, name, *arguments = f"{environ['PATH_INFO']}/".split("/")
        match name:
            case "hold":
                _hold(_FOLDER / arguments[0])
            case "bytes":
                return _respond(start_response, _TEXT * (int(arguments[0]) // len(_TEXT)))
            case "parts":
                start_response("200 OK", [("Content-Length", arguments[0])])
                return (_TEXT * 1000 for _ in range(int(arguments[0]) // 10_000))
            case "file":
                return _file(environ, start_response, int(arguments[0]))
            case "events":
                start_response("200 OK", [("Content-Type", "text/event-stream")])
                return _events()
            case "refuse":
                start_response("429 Too Many Requests", [("Content-Length", "7")])
                return [b"refused"]
            case "log":
                (_FOLDER / "seen").write_text(arguments[0])
            case "fail":
                raise RuntimeError("The application failed.")
            case "fail-later":
                start_response("200 OK", [("Content-Type", "text/plain")])
                return _fail_later()
            case _:
                return _respond(start_response, str(len(environ["wsgi.input"].read())).encode())
        return _respond(start_response, b"released")

    def admits(self, environ: dict[str, Any]) -> str | None:
        return None if environ["PATH_INFO"] == "/refused" else "everyone"


def _respond(start_response: _StartResponse, body: bytes) -> list[bytes]:
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _hold(file: Path) -> None:
    """Create a file and wait until it is removed."""
    file.touch()
    while file.exists():
        time.sleep(0.01)  # between two looks; the test ends the process


def _file(environ: dict[str, Any], start_response: _StartResponse, size: int) -> Iterable[bytes]:
    file = _FOLDER / "content"
    file.write_bytes(_TEXT * (size // len(_TEXT)))
    start_response("200 OK", [("Content-Length", str(size))])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file.open("rb"))
    return wrapped


def _events() -> Iterator[bytes]:
    yield b"first"
    while not (_FOLDER / "continue").exists():
        time.sleep(0.01)  # between two looks; the test ends the process
    yield b"second"


def _fail_later() -> Iterator[bytes]:
    yield b"begun"
    raise RuntimeError("The application failed.")


application = _Application()
