"""A server on this machine that answers as the API's description says: with its examples, and the documents it has."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

DESCRIPTION = json.loads((Path(__file__).parents[4] / "paliapi" / "http" / "openapi.json").read_text())


@dataclass(frozen=True)
class Received:
    """A request."""

    operation: str
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, bytes]:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts: Any = BytesParser().parsebytes(head + self.body).get_payload()
        return {one.get_param("name", header="content-disposition"): one.get_payload(decode=True) for one in parts}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class RemoteServer:
    """What the server answers; tests change it and look at what it received."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.overrides: dict[str, Callable[[Received], Answer]] = {
            "upsertDocument": self._upsert,
            "listDocuments": self._list,
            "getDocument": self._get,
            "updateDocument": self._update,
            "deleteDocument": self._delete,
            "listJobs": self._jobs,
        }
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        # Names of documents that fail when they are processed.
        self.bad: set[str] = set()
        self.url = ""
        # Where its files are, if they are elsewhere.
        self.files: RemoteServer | None = None
        self._lock = threading.Lock()
        self._routes = list(_routes())

    def example(self, operation: str) -> Any:
        return example_of(operation)

    def calls(self, operation: str) -> list[Received]:
        return [one for one in self.received if one.operation == operation]

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        for pattern, of_method, operation, example in self._routes:
            if of_method == method and (match := pattern.fullmatch(parts.path)):
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                path = {name: unquote(value) for name, value in match.groupdict().items()}
                request = Received(operation, path, query, headers, body)
                with self._lock:
                    self.received.append(request)
                    override = self.overrides.get(operation)
                    return override(request) if override else example
        return problem(404, "not_found", f"Nothing is at {parts.path}.")

    def _upsert(self, request: Received) -> Answer:
        if request.headers["content-type"].startswith("multipart/"):
            form = request.form
            name, collection = form["name"].decode(), form.get("collection_name", b"default_collection").decode()
            content, metadata = form["file"], json.loads(form.get("metadata", b"{}"))
        else:
            body = request.json
            name, collection, metadata = body["name"], body["collection_name"], body.get("metadata")
            content = body["url"].encode()
        failed = name in self.bad
        self.documents[collection, name] = {
            **example_of("getDocument"),
            "id": len(self.documents) + 1,
            "name": name,
            "collection_name": collection,
            "metadata": metadata or {},
            "sha256": hashlib.sha256(content).hexdigest(),
            "status": "failed" if failed else "ready",
            "num_pages": 0 if failed else 1,
            "error": {"code": "file_damaged", "detail": "The file is damaged and cannot be read."} if failed else None,
        }
        return Answer(202, {**example_of("upsertDocument", "202"), "name": name, "collection_name": collection})

    def _list(self, request: Received) -> Answer:
        of = request.query.get("collection_name", "default_collection")
        return Answer(200, [one for (collection, _), one in self.documents.items() if of in {collection, "all"}])

    def _get(self, request: Received) -> Answer:
        document = self.documents.get(self._key(request))
        return Answer(200, document) if document else problem(404, "document_not_found", "Document not found.")

    def _update(self, request: Received) -> Answer:
        body = request.json
        document = self.documents[body["collection_name"], request.path["document_name"]]
        document["metadata"] = body["metadata"]
        return Answer(200, document)

    def _delete(self, request: Received) -> Answer:
        if self.documents.pop(self._key(request), None) is None:
            return problem(404, "document_not_found", "Document not found.")
        return Answer(204)

    def _jobs(self, _request: Received) -> Answer:
        example = example_of("listJobs")[0]
        unfinished = [one for one in self.documents.values() if one["status"] != "ready"]
        fields = ("collection_name", "status", "error")
        return Answer(
            200,
            [{**example, "document_name": one["name"], **{name: one[name] for name in fields}} for one in unfinished],
        )

    def _key(self, request: Received) -> tuple[str, str]:
        return request.query.get("collection_name", "default_collection"), request.path["document_name"]


def problem(status: int, code: str, detail: str, **headers: str) -> Answer:
    body = {"type": "x", "title": detail, "status": status, "code": code, "detail": detail, "errors": []}
    return Answer(status, {**body, "request_id": "0af7651916cd43dd8448eb211c80319c"}, headers)


def _routes() -> Iterator[tuple[re.Pattern[str], str, str, Answer]]:
    for path, operations in DESCRIPTION["paths"].items():
        pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))
        for method, operation in operations.items():
            if method in {"get", "post", "patch", "delete"}:
                yield pattern, method.upper(), operation["operationId"], _answer_of(operation)


def _answer_of(operation: dict[str, Any]) -> Answer:
    status = next(status for status in operation["responses"] if status.startswith("2"))
    return Answer(int(status), _example_of(operation["responses"][status]))


def _example_of(response: dict[str, Any]) -> Any:
    content = response.get("content", {}).get("application/json", {})
    examples = content.get("examples")
    return next(iter(examples.values()))["value"] if examples else content.get("example")


def example_of(operation_id: str, status: str | None = None) -> Any:
    operation = next(
        one
        for item in DESCRIPTION["paths"].values()
        for one in item.values()
        if isinstance(one, dict) and one.get("operationId") == operation_id
    )
    return _example_of(operation["responses"][status]) if status else _answer_of(operation).body


@contextmanager
def running() -> Iterator[RemoteServer]:
    """Run a server until the block ends."""
    remote = RemoteServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self._chunks()
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = remote.answer(self.command, self.path, headers, body)
            is_bytes = isinstance(answer.body, bytes)
            content = answer.body if is_bytes else b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            kind = "application/problem+json" if answer.status >= 400 else "application/json"
            for name, value in {"Content-Type": "image/png" if is_bytes else kind, **answer.headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def _chunks(self) -> bytes:
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    remote.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield remote
    finally:
        server.shutdown()
        server.server_close()
