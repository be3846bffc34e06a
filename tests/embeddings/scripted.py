"""A server on a real port whose replies a test scripts, for clients that must not trust their server."""

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
    """Run a server that answers with `reply`; None closes the connection."""
    requests: list[ReceivedRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = ReceivedRequest(self.command, self.path, headers, body)
            requests.append(request)
            response = reply(request)
            if response is None:
                self.close_connection = True
                return
            self.send_response(response.status)
            for name, value in {**response.headers, "content-length": str(len(response.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_HEAD = do_POST = handle_request  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield ScriptedServer(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
