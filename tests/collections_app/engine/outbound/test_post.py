"""One message to a server that may do anything with it."""

import socket
import ssl
import threading

import pytest
import trustme

from collections_app.engine.outbound.addresses import Allowed
from collections_app.engine.outbound.client import Way
from collections_app.engine.outbound.post import Receipt, post
from tests.collections_app.engine.outbound.web_servers import Answer, listening, ok, status, trap
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

BODY = b'{"type":"x"}'


def sent(port: int, *, within_s: float = 10.0) -> Receipt:
    way = Way(allowed=Allowed.of(["127.0.0.1"]), ports=frozenset({port}))
    return post(f"http://127.0.0.1:{port}/hook", BODY, headers={"webhook-id": "msg_1"}, way=way, within_s=within_s)


def answered(answer: bytes | Answer, *, within_s: float = 10.0) -> Receipt:
    with listening({"/hook": answer}) as server:
        return sent(server.port, within_s=within_s)


def endless(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"x" * 10_000)


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(20)


def test_it_arrives_as_json_with_its_headers() -> None:
    asked: list[ReceivedRequest] = []

    def reply(one: ReceivedRequest) -> Reply:
        asked.append(one)
        return Reply(200, b"thank you")

    with scripted(reply) as server:
        receipt = sent(int(server.url.rpartition(":")[2]))
    assert (receipt.arrived, receipt.status, receipt.text) == (True, 200, "thank you")
    (one,) = asked
    assert (one.method, one.body, one.headers["webhook-id"]) == ("POST", BODY, "msg_1")
    assert (one.headers["content-type"], one.headers["user-agent"]) == ("application/json", "PaliAPI")


@pytest.mark.parametrize(
    ("answer", "trouble"),
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
    ids=["204", "299", "302", "400", "410", "503", "nonsense", "hangs up"],
)
def test_only_2xx_is_success_and_nothing_is_followed(answer: bytes, trouble: str) -> None:
    with listening({"/hook": answer}) as server:
        receipt = sent(server.port)
        assert server.asked == ["/hook"]
    assert receipt.trouble == trouble
    assert receipt.retry_after_s == (7.0 if b"Retry-After" in answer else None)


def test_of_a_huge_answer_the_beginning_is_read() -> None:
    receipt = answered(endless)
    assert (receipt.arrived, receipt.text) == (True, "x" * 1000)


def test_an_answer_is_kept_as_plain_text() -> None:
    assert answered(ok(b"a\x00b\x1b[31m\xffc\n")).text == "a b [31m\ufffdc"


def test_a_body_that_breaks_off_does_not_undo_the_status() -> None:
    assert answered(b"HTTP/1.1 201 Made\r\nContent-Length: 10\r\n\r\nabc").arrived


def test_one_who_does_not_answer_is_given_up_in_time() -> None:
    receipt = answered(silent, within_s=0.2)
    assert (receipt.trouble, receipt.status) == ("unreachable", None)


def test_a_server_with_a_certificate_of_its_own_making_gets_nothing() -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server_side)
    with listening({"/hook": status(204)}, tls=server_side) as server:
        way = Way(allowed=Allowed.of(["127.0.0.1"]), ports=frozenset({server.port}))
        receipt = post(f"https://127.0.0.1:{server.port}/hook", BODY, headers={}, way=way, within_s=10)
        assert server.asked == []
    assert receipt.trouble == "untrusted"


def test_a_name_that_leads_to_a_private_address_is_never_called() -> None:
    with trap() as listener:
        for host in ("localhost", "[::1]", "127.0.0.2", "0.0.0.0"):
            way = Way(ports=frozenset({listener.port}))
            url = f"http://{host}:{listener.port}/"
            assert post(url, BODY, headers={}, way=way, within_s=10).trouble == "refused"
        assert listener.calls() == 0


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://127.0.0.1:22/", "http://a:b@127.0.0.1/", "nonsense", ""])
def test_what_is_no_address_of_a_receiver_is_refused(url: str) -> None:
    assert post(url, BODY, headers={}, way=Way(), within_s=1).trouble == "refused"
