"""A stand-in for an embeddings service with a GPU: `python -m benchmarks.ingest.slow_service PORT`

It takes `COMPUTE_S` for each request of up to eight pages, one after the other, whatever they show. `GET /figures`
reports what it did since the first page.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from embeddings.contract import NPZ, MultiVector, VectorSpace, pack

COMPUTE_S = 0.2
MAX_PAGES = 8
_SPACE = VectorSpace("slow", "1", 128)
_ROWS = 64


class _Work:
    """The requests with pages, of which one is computed at a time."""

    def __init__(self) -> None:
        self._computing = threading.Lock()
        self.requests = self.pages = 0
        self.busy_s = self.first = self.last = 0.0

    def compute(self, count: int) -> None:
        with self._computing:
            began = time.monotonic()
            time.sleep(COMPUTE_S * -(-count // MAX_PAGES))
            self.last = time.monotonic()
            self.first = self.first or began
            self.requests += 1
            self.pages += count
            self.busy_s += self.last - began

    def figures(self) -> dict[str, float]:
        passed_s = self.last - self.first
        return {
            "service_busy": self.busy_s / passed_s if passed_s else 0.0,
            "pages_per_request": self.pages / max(1, self.requests),
            "pages_per_s": self.pages / passed_s if passed_s else 0.0,
        }


def serve(port: int) -> None:
    """Answer requests until the process is ended."""
    work = _Work()
    rng = np.random.default_rng(7)

    def vectors(count: int) -> list[MultiVector]:
        rows = rng.standard_normal((count, _ROWS, _SPACE.dim)).astype(np.float32)
        return [MultiVector(page.astype(np.float16)) for page in rows / np.linalg.norm(rows, axis=2, keepdims=True)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(json.dumps(work.figures()).encode(), "application/json")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            count, kind = len(body["inputs"]), body["input_type"]
            if kind == "image":
                work.compute(count)
            self._send(pack(vectors(count), input_type=kind, space=_SPACE, with_layout=False), NPZ)

        def _send(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
