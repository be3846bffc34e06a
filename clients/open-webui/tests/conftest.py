"""A server in the place of PaliAPI and of a model."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

HIT = {
    "collection_name": "reports",
    "document_name": "annual [2026].pdf",
    "page_number": 3,
    "normalized_score": 0.87,
    "img_base64": "iVBORw0KGgo=",
    "image_url": "http://inside:8001/v1/files/pages/token",
    "thumbnail_url": "http://inside:8001/v1/files/thumbnails/token",
    "text": "The tallest lighthouse is at Jeddah.",
}


@dataclass
class Server:
    """Replies to paths, and remembers the requests."""

    url: str = ""
    replies: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str | None, Any]] = field(default_factory=list)

    def replies_with(self, path: str, reply: Any, status: int = 200) -> None:
        self.replies[path] = (status, reply if isinstance(reply, bytes) else json.dumps(reply).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(None)

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, body: Any) -> None:
            served.requests.append((self.path, self.headers["Authorization"], body))
            status, content = served.replies[self.path]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{served.url}/v1/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        served.url = f"http://127.0.0.1:{listening.server_port}"
        served.replies_with("/v1/search/", {"results": [HIT]})
        served.replies_with("/v1/collections/", [{"name": "reports"}, {"name": "a.b"}])
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            listening.shutdown()
            thread.join()
