import hashlib
import io
import itertools
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from collections_app.engine.outbound.addresses import AllowList
from collections_app.engine.outbound.client import OutboundPolicy
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchTooLarge, FetchUnavailable
from collections_app.engine.outbound.fetch import FetchedDocument, FetchLimits, fetch
from paliapi.errors import Invalid, TooLarge, Unavailable, kind_of
from tests.collections_app.engine.outbound.web_servers import DEADLINE_S, Response, Server, listening, ok, status

SMALL = FetchLimits(max_bytes=1000, connect_s=5, read_s=5, total_s=DEADLINE_S)


def at_loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def policy_for(*servers: Server, **changes: Any) -> OutboundPolicy:
    """Return a policy that permits loopback, to which every name resolves."""
    ports = frozenset(server.port for server in servers)
    return OutboundPolicy(
        **{"allow": AllowList.parse(["127.0.0.1"]), "ports": ports, "resolve": at_loopback, **changes}
    )


def fetch_from(server: Server, path: str, *, limits: FetchLimits = SMALL) -> tuple[FetchedDocument, bytes]:
    into = io.BytesIO()
    fetched = fetch(f"http://docs.example:{server.port}{path}", into, limits=limits, policy=policy_for(server))
    return fetched, into.getvalue()


def test_a_document_is_fetched_with_its_digest_and_size() -> None:
    with listening({"/a.pdf": ok(b"%PDF-", "Content-Type: application/pdf")}) as server:
        fetched, content = fetch_from(server, "/a.pdf")
    assert content == b"%PDF-"
    assert fetched == FetchedDocument(
        f"http://docs.example:{server.port}/a.pdf", hashlib.sha256(b"%PDF-").hexdigest(), 5, "application/pdf"
    )


def test_requests_carry_a_minimal_set_of_headers() -> None:
    with listening({"/": ok(b"x")}) as server:
        fetch_from(server, "/")
    host = f"docs.example:{server.port}"
    assert server.heads[0].split("\r\n") == [
        "GET / HTTP/1.1", f"Host: {host}", "User-Agent: PaliAPI", "Connection: close", "Accept: */*",
        "Accept-Encoding: identity", "", "",
    ]  # fmt: skip


def test_redirects_are_followed_to_the_document() -> None:
    pages: dict[str, bytes | Response] = {
        "/1": status(301, "Location: /2?x=1#part"),
        "/2?x=1": status(302, "Location: 3"),
        "/%C3%A4": ok(b"target"),
    }
    with listening(pages) as server:
        pages["/3"] = status(308, f"Location: http://docs.example:{server.port}/\u00e4")
        fetched, content = fetch_from(server, "/1")
        assert (content, fetched.url) == (b"target", f"http://docs.example:{server.port}/%C3%A4")
        assert server.requested == ["/1", "/2?x=1", "/3", "/%C3%A4"]


def test_a_fourth_redirect_is_refused() -> None:
    pages = {f"/{number}": status(307, f"Location: /{number + 1}") for number in range(10)}
    with listening(pages) as server, pytest.raises(FetchFailed, match="more than 3 times"):
        fetch_from(server, "/0")
    assert server.requested == ["/0", "/1", "/2", "/3"]


def test_a_redirect_loop_is_detected() -> None:
    pages = {"/a": status(303, "Location: /b"), "/b": status(303, "Location: /a#again")}
    with listening(pages) as server, pytest.raises(FetchFailed, match="loop"):
        fetch_from(server, "/a")
    assert server.requested == ["/a", "/b"]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ([], FetchFailed),
        (["Location: "], FetchFailed),
        (["Location: ftp://docs.example/"], FetchRefused),
        (["Location: http://alice:secret@docs.example/"], FetchRefused),
        (["Location: http://docs.example:22/"], FetchRefused),
        (["Location: http://[/"], FetchRefused),
        (["Location: http://2130706433/"], FetchRefused),
    ],
)
def test_invalid_redirects_are_not_followed(headers: list[str], kind: type[Exception]) -> None:
    with listening({"/": status(302, *headers)}) as server, pytest.raises(kind):
        fetch_from(server, "/")
    assert server.requested == ["/"]


def test_every_hop_uses_a_new_connection_without_cookies() -> None:
    pages: dict[str, bytes | Response] = {"/a": b"", "/b": ok(b"x")}
    with listening(pages) as server:
        location = f"Location: http://other.example:{server.port}/b"
        pages["/a"] = status(302, location, "Set-Cookie: a=b", "Connection: keep-alive")
        fetch_from(server, "/a")
    # The server reads one request from each connection.
    assert f"Host: other.example:{server.port}" in server.heads[1]
    assert "cookie" not in server.heads[1].lower()


@pytest.mark.parametrize(
    ("code", "kind"),
    [(201, FetchFailed), (204, FetchFailed), (206, FetchFailed), (300, FetchFailed), (304, FetchFailed),
     (400, FetchFailed), (401, FetchFailed), (403, FetchFailed), (404, FetchFailed), (410, FetchFailed),
     (408, FetchUnavailable), (429, FetchUnavailable), (500, FetchUnavailable), (503, FetchUnavailable)],
)  # fmt: skip
def test_only_status_200_is_a_document(code: int, kind: type[Exception]) -> None:
    with listening({"/": status(code)}) as server, pytest.raises(kind, match=f"status {code} "):
        fetch_from(server, "/")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), ("999999999999", 3600), ("soon", None), ("-1", None), ("", None), ("Sat, 99 Nov", None),
     (format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True), 0),
     (format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), 3600)],
    ids=["seconds", "zero", "huge", "words", "negative", "empty", "invalid date", "yesterday", "tomorrow"],
)  # fmt: skip
def test_retry_after_of_a_busy_server_is_parsed(header: str, seconds: float | None) -> None:
    with listening({"/": status(503, f"Retry-After: {header}")}) as server, pytest.raises(FetchUnavailable) as caught:
        fetch_from(server, "/")
    assert caught.value.retry_after_s == seconds


def test_only_fetch_unavailable_is_retryable() -> None:
    assert kind_of(FetchUnavailable) is Unavailable
    assert kind_of(FetchFailed) is kind_of(FetchRefused) is Invalid
    assert kind_of(FetchTooLarge) is TooLarge


def test_compressed_documents_are_refused() -> None:
    with listening({"/": ok(b"\x1f\x8b", "Content-Encoding: gzip")}) as server:
        into = io.BytesIO()
        with pytest.raises(FetchFailed, match="compressed"):
            fetch(f"http://x.example:{server.port}/", into, limits=SMALL, policy=policy_for(server))
    assert into.getvalue() == b""


def test_a_document_of_exactly_the_limit_is_accepted() -> None:
    with listening({"/": ok(b"x" * 1000)}) as server:
        assert fetch_from(server, "/")[0].size == 1000


@pytest.mark.parametrize("claimed", [1001, 10**12, 10**19])
def test_a_document_declared_too_large_is_not_read(claimed: int) -> None:
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {claimed}\r\n\r\nabc".encode()
    with listening({"/": answer}) as server:
        into = io.BytesIO()
        with pytest.raises(FetchTooLarge):
            fetch(f"http://x.example:{server.port}/", into, limits=SMALL, policy=policy_for(server))
    assert into.getvalue() == b""


@pytest.mark.parametrize(
    "framing", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
def test_an_endless_document_is_read_only_up_to_the_limit(framing: bytes) -> None:
    def endless(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(framing)
        while not done.is_set():
            connection.sendall(b"10\r\n0123456789abcdef\r\n" * 100)

    with listening({"/": endless}) as server:
        into = io.BytesIO()
        with pytest.raises(FetchTooLarge):
            fetch(f"http://x.example:{server.port}/", into, limits=SMALL, policy=policy_for(server))
    assert len(into.getvalue()) <= 1000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
    ],
)
def test_malformed_responses_reveal_nothing_about_the_server(answer: bytes) -> None:
    with listening({"/": answer}) as server, pytest.raises(FetchUnavailable) as caught:
        fetch_from(server, "/")
    assert caught.value.detail == FetchUnavailable.title


def test_bytes_beyond_content_length_are_ignored() -> None:
    with listening({"/": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"}) as server:
        assert fetch_from(server, "/")[1] == b"abc"


@pytest.mark.parametrize(
    "piece",
    [b"X: " + b"y" * 100 + b"\r\n", b"y" * 1000, b"\r\nHTTP/1.1 103 Early\r\nX: y\r\n"],
    ids=["many", "one", "1xx"],
)
def test_endless_headers_are_not_read_to_the_end(piece: bytes) -> None:
    def endless(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 103 Early\r\nX: ")
        while not done.is_set():
            connection.sendall(piece)

    with listening({"/": endless}) as server, pytest.raises((FetchFailed, FetchUnavailable)):
        fetch_from(server, "/")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
def test_a_trickling_server_times_out(start: bytes) -> None:
    def trickle(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(start)
        for _ in range(int(DEADLINE_S / 0.01)):
            connection.sendall(b"x")
            if done.wait(0.01):
                return

    limits = FetchLimits(max_bytes=10**9, connect_s=5, read_s=5, total_s=0.3)
    with listening({"/": trickle}) as server, pytest.raises(FetchUnavailable) as caught:
        fetch_from(server, "/", limits=limits)
    assert caught.value.detail == FetchUnavailable.title


def test_a_silent_server_times_out() -> None:
    def silent(connection: socket.socket, done: threading.Event) -> None:
        done.wait(DEADLINE_S)

    limits = FetchLimits(max_bytes=1000, connect_s=5, read_s=0.2, total_s=DEADLINE_S)
    with listening({"/": silent}) as server, pytest.raises(FetchUnavailable):
        fetch_from(server, "/", limits=limits)


def test_all_hops_share_one_deadline() -> None:
    counter = itertools.count(1)

    def redirect_again(connection: socket.socket, done: threading.Event) -> None:
        done.wait(0.1)
        connection.sendall(status(302, f"Location: /{next(counter)}"))

    limits = FetchLimits(max_redirects=1000, connect_s=5, read_s=5, total_s=0.5)
    with listening({"/": redirect_again, **{f"/{number}": redirect_again for number in range(1000)}}) as server:
        with pytest.raises(FetchUnavailable):
            fetch_from(server, "/", limits=limits)
        assert len(server.heads) < 100


def test_a_full_disk_is_not_reported_as_a_server_failure() -> None:
    class Full(io.BytesIO):
        def write(self, _data: Any, /) -> int:
            raise OSError(28, "No space left on device")

    with listening({"/": ok(b"x")}) as server, pytest.raises(OSError, match="No space left"):
        fetch(f"http://x.example:{server.port}/", Full(), limits=SMALL, policy=policy_for(server))


@pytest.mark.parametrize(
    ("claimed", "stored"), [("text/plain; charset=x", "text/plain; charset=x"), ("a" * 300, "a" * 255)]
)
def test_the_claimed_content_type_is_truncated(claimed: str, stored: str) -> None:
    with listening({"/": ok(b"x", f"Content-Type: {claimed}")}) as server:
        assert fetch_from(server, "/")[0].claimed_content_type == stored
