"""A proxy in front of the embeddings service that corrupts its responses on request."""

import http.client
import http.server
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from embeddings.contract import DIM_HEADER, MODEL_HEADER, REVISION_HEADER

_KEPT = ("content-type", MODEL_HEADER, REVISION_HEADER, DIM_HEADER)
MODES = ("hangs", "answers_500", "answers_429", "answers_nan", "changes_dimension", "cuts_answers")


class FaultyProxy:
    """A proxy whose `mode` is one of MODES, or empty to pass responses through."""

    def __init__(self, target: str) -> None:
        self.mode = ""
        self.released = threading.Event()
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        handler = type("Handler", (_Handler,), {"proxy": self, "target": self._target})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def break_with(self, mode: str) -> None:
        self.released.clear()
        self.mode = mode

    def repair(self) -> None:
        """Pass responses through again, and release hanging requests without a response."""
        self.mode = ""
        self.released.set()

    @contextmanager
    def serving(self) -> Iterator["FaultyProxy"]:
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.repair()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    proxy: FaultyProxy
    target: tuple[str, int]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on("GET")

    def do_POST(self) -> None:
        self._pass_on("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
        """Log nothing."""

    def _pass_on(self, method: str) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        mode = self.proxy.mode
        if mode == "hangs":
            self.proxy.released.wait()
            self.close_connection = True
            return
        if mode in ("answers_500", "answers_429"):
            self._answer(int(mode[-3:]), [("content-type", "application/json")], b'{"detail": "Not now."}')
            return
        status, headers, body = self._asked(method, content)
        if mode in ("answers_nan", "changes_dimension") and status == HTTPStatus.OK:
            body = _corrupted(body, mode)
        self._answer(status, headers, body, cut=mode == "cuts_answers")

    def _asked(self, method: str, content: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(*self.target, timeout=60)
        try:
            sent = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            connection.request(method, self.path, body=content, headers=sent)
            answer = connection.getresponse()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() in _KEPT]
            return answer.status, headers, answer.read()
        except OSError:
            return HTTPStatus.BAD_GATEWAY, [], b""
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut


def _corrupted(body: bytes, mode: str) -> bytes:
    """Corrupt an npz response: NaNs, or only half of every vector."""
    with np.load(io.BytesIO(body), allow_pickle=False) as npz:
        arrays = dict(npz)
    for name in [name for name in arrays if name.startswith("emb_")]:
        if mode == "answers_nan":
            arrays[name] = np.full_like(arrays[name], np.nan)
        else:
            half = arrays[name][:, : arrays[name].shape[1] // 2].astype(np.float32) + 1e-3
            arrays[name] = (half / np.linalg.norm(half, axis=1, keepdims=True)).astype(np.float16)
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()
