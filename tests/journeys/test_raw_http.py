"""Malformed requests and bodies without a length, sent to a real server."""

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPResponse
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from paliapi.http.problems import codes
from paliapi.units import MAX_NAME_LENGTH
from tests.cast import Someone
from tests.journeys.conftest import Web

PART = b"--y\r\nContent-Disposition: form-data; name="


@pytest.fixture
def client(owner: Someone, web: Web) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, headers=owner.headers, timeout=30) as client:
        yield client


def sent(web: Web, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send raw bytes and return status, headers and body of the first response."""
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: wire.recv(65536), b""))
    answer = HTTPResponse(_Received(received))  # type: ignore[arg-type]
    answer.begin()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


class _Received:
    """Bytes in place of a socket, for http.client."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, *_: Any) -> BytesIO:
        return BytesIO(self._received)


def _pieces() -> Iterator[bytes]:
    yield b'{"name": '
    yield b'"reports"}'


def test_body_without_content_length_is_rejected_before_it_is_read(client: httpx.Client) -> None:
    for method, path in (("POST", "/v1/collections/"), ("POST", "/v1/documents/upsert-document/"), ("PATCH", "/v1/x/")):
        refused = client.request(method, path, content=_pieces(), headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.json()["code"]) == (411, "length_required")
        assert refused.headers["Content-Type"] == "application/problem+json"
    assert client.get("/v1/collections/").json() == []


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/v1/collections/", "application/json", b'{"name": "reports"}'),
        ("/v1/documents/upsert-document/", "application/json", b'{"name": "a", "url": "https://example.com/a"}'),
        (
            "/v1/documents/upsert-document/",
            "multipart/form-data; boundary=y",
            PART + b"name\r\n\r\na\r\n" + PART + b"file; filename=a\r\n\r\n# The first half of",
        ),
        (
            "/v1/helpers/file-to-base64/",
            "multipart/form-data; boundary=y",
            PART + b"file; filename=a\r\n\r\n# The first half of",
        ),
    ],
    ids=["a collection", "a document", "a file", "a file to convert"],
)
def test_truncated_body_changes_nothing(
    owner: Someone, web: Web, client: httpx.Client, path: str, kind: str, body: bytes
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner.key}\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
    status, headers, payload = sent(web, head.encode() + body)
    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(payload)["code"] == "incomplete_body"
    assert client.get("/v1/collections/").json() == []
    assert not any(web.files.rglob(f"{owner.id}/*/*"))


@pytest.mark.parametrize("path", ["/v1/collections/%00/", "/v1/collections/%ff/", "/v1/collections/..%2f..%2fx/"])
def test_impossible_names_are_not_found(client: httpx.Client, path: str) -> None:
    for method in ("GET", "DELETE"):
        results = client.request(method, path)
        assert results.status_code == 404
        assert results.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET /v1/health/ HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", "headers_too_large"),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", "address_too_long"),
        (b"GET /v1/health/ HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n", "malformed_request"),
        (b"GET /v1/health/\xff HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n", "malformed_request"),
        (
            b"POST /v1/filter/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "malformed_request",
        ),
        (
            b"POST /v1/filter/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "malformed_request",
        ),
        (b"nonsense\r\n\r\n", "malformed_request"),
    ],
    ids=[
        "a long header",
        "a long address",
        "a bad header",
        "a NUL",
        "two lengths",
        "a length and none",
        "nonsense",
    ],
)
def test_malformed_http_is_rejected_and_the_server_continues(web: Web, request_: bytes, code: str) -> None:
    status, headers, payload = sent(web, request_)
    problem = json.loads(payload)
    assert (headers["content-type"], problem["code"]) == ("application/problem+json", code)
    assert (problem["status"], problem["request_id"]) == (status, headers["x-request-id"])
    assert (code, status) in {(known, number) for known, number, _ in codes()}
    assert httpx.get(f"{web.url}/v1/health/").status_code == 200


def test_longest_names_fit_in_a_path(client: httpx.Client) -> None:
    collection, document = "\N{OLD PERSIAN SIGN A}" * MAX_NAME_LENGTH, "\N{OLD PERSIAN SIGN I}" * MAX_NAME_LENGTH
    assert client.post("/v1/collections/", json={"name": collection}).status_code == 201
    uploaded = {"name": document, "collection_name": collection, "base64": b64encode(b"# A text").decode()}
    created = client.post("/v1/documents/upsert-document/", json=uploaded)
    assert created.status_code in {201, 202}, created.text
    results = client.get(f"/v1/documents/{quote(document)}/", params={"collection_name": collection})
    assert (results.status_code, results.json()["name"]) == (200, document)


@pytest.mark.parametrize("host", ["evil.example", "", "localhost:80:80", "127.0.0.1@evil.example"])
def test_unknown_host_is_a_problem_response(web: Web, host: str) -> None:
    request = f"GET /v1/openapi.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    status, headers, body = sent(web, request.encode())
    assert status == 400
    assert (headers["content-type"], json.loads(body)["code"]) == ("application/problem+json", "bad_host")


@pytest.mark.parametrize("path", ["//", "//evil.example/", "/v1//collections/", "/v1/collections/?", "/./v1/x"])
def test_unusual_paths_do_not_reach_other_resources(client: httpx.Client, web: Web, path: str) -> None:
    status, headers, _ = sent(web, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert status in {302, 401, 404}
    assert headers.get("location", "/").startswith("/v1/docs") or status != 302


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/v1/admin/login/", "SCRIPT_NAME: /v1", 404),
        ("/v1/metrics", "script_name: /v1", 404),
        ("/v1/health/", "SCRIPT_NAME: /v1", 200),
        ("/v1/health/", "SCRIPT_NAME: /elsewhere", 200),
        ("/v1/nowhere/", "PATH_INFO: /metrics", 404),
    ],
)
def test_header_cannot_change_which_view_answers(web: Web, path: str, header: str, status: int) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\nConnection: close\r\n\r\n"
    assert sent(web, request.encode())[0] == status


def test_forwarded_scheme_is_ignored_without_trust_proxy(client: httpx.Client) -> None:
    client.post("/v1/collections/", json={"name": "c"})
    body = {"name": "a.txt", "collection_name": "c", "base64": b64encode(b"A letter.").decode()}
    client.post("/v1/documents/upsert-document/", json=body)
    for name in ("X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Ssl"):
        for value in ("https", "ssl", "on"):
            answer = client.get("/v1/documents/a.txt/?collection_name=c", headers={name: value})
            assert answer.json()["url"].startswith("http://")
