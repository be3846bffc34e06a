"""Delivery of one message to servers that behave in any way."""

import socket
import ssl
import threading

import pytest
import trustme

from collections_app.engine.outbound.addresses import AllowList
from collections_app.engine.outbound.client import OutboundPolicy
from collections_app.engine.outbound.post import PostResult, post
from tests.collections_app.engine.outbound.web_servers import Response, listening, ok, status, trap
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

BODY = b'{"type":"x"}'


def post_to(port: int, *, timeout_s: float = 10.0) -> PostResult:
    policy = OutboundPolicy(allow=AllowList.parse(["127.0.0.1"]), ports=frozenset({port}))
    return post(
        f"http://127.0.0.1:{port}/hook", BODY, headers={"webhook-id": "msg_1"}, policy=policy, timeout_s=timeout_s
    )


def post_and_get(answer: bytes | Response, *, timeout_s: float = 10.0) -> PostResult:
    with listening({"/hook": answer}) as server:
        return post_to(server.port, timeout_s=timeout_s)


def endless(connection: socket.socket, done: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    while not done.is_set():
        connection.sendall(b"x" * 10_000)


def silent(connection: socket.socket, done: threading.Event) -> None:
    done.wait(20)


def test_a_message_is_posted_as_json_with_its_headers() -> None:
    requests: list[ReceivedRequest] = []

    def reply(request: ReceivedRequest) -> Reply:
        requests.append(request)
        return Reply(200, b"thank you")

    with scripted(reply) as server:
        result = post_to(int(server.url.rpartition(":")[2]))
    assert (result.delivered, result.status, result.text) == (True, 200, "thank you")
    (request,) = requests
    assert (request.method, request.body, request.headers["webhook-id"]) == ("POST", BODY, "msg_1")
    assert (request.headers["content-type"], request.headers["user-agent"]) == ("application/json", "PaliAPI")


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (status(204), ""),
        (status(299), ""),
        (status(302, "Location: http://127.0.0.1/elsewhere"), "redirected"),
        (status(400), "rejected"),
        (status(410), "rejected"),
        (status(503, "Retry-After: 7"), "rejected"),
        (b"not http at all\r\n\r\n", "unreachable"),
        (b"", "unreachable"),
    ],
    ids=["204", "299", "302", "400", "410", "503", "not http", "connection closed"],
)
def test_only_2xx_is_success_and_redirects_are_not_followed(answer: bytes, failure: str) -> None:
    with listening({"/hook": answer}) as server:
        result = post_to(server.port)
        assert server.requested == ["/hook"]
    assert result.failure == failure
    assert result.retry_after_s == (7.0 if b"Retry-After" in answer else None)


def test_only_the_start_of_a_huge_response_is_read() -> None:
    result = post_and_get(endless)
    assert (result.delivered, result.text) == (True, "x" * 1000)


def test_the_response_excerpt_is_plain_text() -> None:
    assert post_and_get(ok(b"a\x00b\x1b[31m\xffc\n")).text == "a b [31m\ufffdc"


def test_a_truncated_body_does_not_change_the_outcome() -> None:
    assert post_and_get(b"HTTP/1.1 201 Made\r\nContent-Length: 10\r\n\r\nabc").delivered


def test_a_silent_receiver_times_out() -> None:
    result = post_and_get(silent, timeout_s=0.2)
    assert (result.failure, result.status) == ("unreachable", None)


def test_a_server_with_a_self_signed_certificate_receives_nothing() -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server_side)
    with listening({"/hook": status(204)}, tls=server_side) as server:
        policy = OutboundPolicy(allow=AllowList.parse(["127.0.0.1"]), ports=frozenset({server.port}))
        result = post(f"https://127.0.0.1:{server.port}/hook", BODY, headers={}, policy=policy, timeout_s=10)
        assert server.requested == []
    assert result.failure == "untrusted"


def test_private_receivers_are_never_contacted() -> None:
    with trap() as listener:
        for host in ("localhost", "[::1]", "127.0.0.2", "0.0.0.0"):
            policy = OutboundPolicy(ports=frozenset({listener.port}))
            url = f"http://{host}:{listener.port}/"
            assert post(url, BODY, headers={}, policy=policy, timeout_s=10).failure == "refused"
        assert listener.calls() == 0


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://127.0.0.1:22/", "http://a:b@127.0.0.1/", "nonsense", ""])
def test_invalid_receiver_urls_are_refused(url: str) -> None:
    assert post(url, BODY, headers={}, policy=OutboundPolicy(), timeout_s=1).failure == "refused"
