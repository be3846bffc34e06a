"""A server on a real port that answers what a test tells it to, for clients that must not trust it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ReceivedRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Any, *, status: int = 200, **headers: str) -> "Reply":
        return cls(status, json.dumps(content).encode(), {"content-type": "application/json", **headers})


@dataclass
class ScriptedServer:
    url: str
    requests: list[ReceivedRequest]


@contextmanager
def scripted(reply: Callable[[ReceivedRequest], Reply | None], *, port: int = 0) -> Iterator[ScriptedServer]:
    """A server that answers with `reply`; None hangs up."""
    requests: list[ReceivedRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            one = ReceivedRequest(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            requests.append(one)
            found = reply(one)
            if found is None:
                self.close_connection = True
                return
            self.send_response(found.status)
            for name, value in {**found.headers, "content-length": str(len(found.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.body)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield ScriptedServer(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
