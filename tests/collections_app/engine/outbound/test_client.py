import io
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import trustme

from collections_app.engine.outbound.addresses import Allowed
from collections_app.engine.outbound.client import Resolver, Way, ask_system
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchUnavailable
from collections_app.engine.outbound.fetch import FetchLimits, fetch
from paliapi.errors import Error
from tests.collections_app.engine.outbound.web_servers import (
    DEADLINE_S,
    Server,
    Trap,
    answer_once,
    listening,
    ok,
    status,
    trap,
)

LIMITS = FetchLimits(max_bytes=1000, connect_s=5, read_s=5, total_s=DEADLINE_S)
# Another address of loopback stands for the public network; 127.0.0.1 stays what it is.
OUTSIDE = "127.0.0.2"

SPELLINGS = (
    "127.0.0.1", "127.0.0.1.", "127.0.0.3", "127.1", "127.0.1", "0177.0.0.1", "0177.1", "017700000001", "2130706433",
    "0x7f000001", "0x7f.1", "0x7f.0x0.0x0.0x1", "0X7F.0.0.1", "0", "0.0.0.0", "00.0.0.0", "127.0.0.1%00",
    "127.0.0.1%20", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "127\uff0e0\uff0e0\uff0e1",
    "\u2460\u2461\u2466.0.0.1",
    "\u0661\u0662\u0667.0.0.1", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    "\U0001d7cf\U0001d7d0\U0001d7d5.0.0.1", "\u200b127.0.0.1", "127.0.0.1\u00ad", "%31%32%37.0.0.1", "1.127.0.0.1.1",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::FFFF:7F00:0001]", "[0:0:0:0:0:ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:0:808:808::80ff:fffe]",
    "[::1%25lo]", "[::1%lo]", "[fe80::1%25lo]", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[ff02::1]", "[::ffff:0.0.0.0]",
    "[::1].", "[127.0.0.1]", "[::1", "x@127.0.0.1", "example.com@127.0.0.1", "example.com\\@127.0.0.1",
    "127.0.0.1\\@example.com", "127.0.0.1\t", "127.0.0.1\n", " 127.0.0.1", "localhost", "LOCALHOST", "localhost.",
    "ip6-localhost", "x.localhost",
)  # fmt: skip


@pytest.fixture
def trapped() -> Iterator[Trap]:
    with trap() as waiting:
        yield waiting


def at(*answers: str) -> Resolver:
    """Every name has these addresses."""

    def resolve(host: str, port: int) -> Sequence[str]:
        return answers

    return resolve


def outcome(url: str, *, way: Way) -> Error:
    with pytest.raises(Error) as caught:
        fetch(url, io.BytesIO(), limits=LIMITS, way=way)
    return caught.value


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_this_machine_is_ever_called(spelling: str, trapped: Trap) -> None:
    way = Way(ports=frozenset({trapped.port}), resolve=at("127.0.0.1", "::1"))
    assert isinstance(outcome(f"http://{spelling}:{trapped.port}/", way=way), FetchRefused)
    assert trapped.calls() == 0


def test_the_trap_would_notice(trapped: Trap) -> None:
    way = Way(ports=frozenset({trapped.port}), allowed=Allowed.of(["127.0.0.0/8"]))
    with pytest.raises(FetchUnavailable):
        fetch(f"http://127.0.0.1:{trapped.port}/", io.BytesIO(), limits=FetchLimits(read_s=0.1), way=way)
    assert trapped.calls() == 1


@pytest.mark.parametrize(
    "answers",
    [("127.0.0.1",), ("::1",), ("::ffff:127.0.0.1",), ("64:ff9b::7f00:1",), ("10.0.0.1",), ("8.8.8.8", "127.0.0.1"),
     ("127.0.0.1", "8.8.8.8"), ("fe80::1%lo",), ()],
)  # fmt: skip
def test_a_name_is_only_as_good_as_the_worst_of_its_addresses(answers: tuple[str, ...], trapped: Trap) -> None:
    way = Way(ports=frozenset({trapped.port}), resolve=at(*answers))
    problem = outcome(f"http://docs.example:{trapped.port}/", way=way)
    assert isinstance(problem, FetchRefused)
    assert trapped.calls() == 0


def test_a_private_name_and_one_that_is_not_there_read_the_same(trapped: Trap) -> None:
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    ports = frozenset({trapped.port})
    problems = [
        outcome(f"http://wiki.example:{trapped.port}/", way=Way(ports=ports, resolve=resolve))
        for resolve in (nowhere, at("127.0.0.1"), at("10.255.255.1"), at("8.8.8.8", "10.0.0.1"), at("fd00::1"))
    ]
    problems.append(outcome(f"http://10.0.0.1:{trapped.port}/", way=Way(ports=ports)))
    assert {(problem.code, problem.detail) for problem in problems} == {("fetch_refused", FetchRefused.title)}


def test_a_name_is_looked_up_once_and_the_answer_is_what_is_called() -> None:
    answers = iter([[OUTSIDE], ["127.0.0.1"]])

    def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    pages = {"/": ok(b"from wherever this is")}
    with listening(pages, address=OUTSIDE) as server, listening(pages, port=server.port) as inside:
        way = Way(allowed=Allowed.of([OUTSIDE]), ports=frozenset({server.port}), resolve=rebinding)
        fetch(f"http://docs.example:{server.port}/", io.BytesIO(), limits=LIMITS, way=way)
        assert isinstance(outcome(f"http://docs.example:{server.port}/", way=way), FetchRefused)
    assert server.asked == ["/"]
    assert inside.asked == []


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "//127.0.0.1:{port}/", "http://2130706433:{port}/",
     "http://inside.example:{port}/", "http://localhost:{port}/", "/again"],
)  # fmt: skip
def test_a_redirect_does_not_lead_inside(location: str) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return [OUTSIDE] if asked == ["docs.example"] else ["127.0.0.1"]

    pages = {"/": b""}
    with listening(pages, address=OUTSIDE) as server, listening({}, port=server.port) as inside:
        pages["/"] = status(302, "Location: " + location.format(port=server.port))
        way = Way(allowed=Allowed.of([OUTSIDE]), ports=frozenset({server.port}), resolve=resolve)
        problem = outcome(f"http://docs.example:{server.port}/", way=way)
    assert isinstance(problem, FetchRefused)
    assert server.asked == ["/"]
    assert inside.heads == []


def test_an_address_that_does_not_answer_gives_way_to_the_next() -> None:
    with listening({"/": ok(b"x")}) as server:
        allowed = Allowed.of(["127.0.0.0/8"])
        way = Way(allowed=allowed, ports=frozenset({server.port}), resolve=at("127.0.0.9", "127.0.0.1"))
        assert fetch(f"http://docs.example:{server.port}/", io.BytesIO(), limits=LIMITS, way=way).size == 1


def test_a_server_that_is_down_may_be_tried_again() -> None:
    with listening({}) as server:
        port = server.port
    way = Way(allowed=Allowed.of(["127.0.0.1"]), ports=frozenset({port}), resolve=at("127.0.0.1"))
    problem = outcome(f"http://docs.example:{port}/", way=way)
    assert (problem.code, problem.detail) == ("fetch_unavailable", FetchUnavailable.title)


def test_a_name_that_cannot_be_looked_up_now_may_be_tried_again() -> None:
    def busy(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    assert isinstance(outcome("http://docs.example/", way=Way(resolve=busy)), FetchUnavailable)


def test_a_resolver_that_answers_with_what_is_no_address_is_not_followed() -> None:
    assert isinstance(outcome("http://docs.example/", way=Way(resolve=at("elsewhere.example"))), FetchRefused)


def test_a_slow_look_up_does_not_outlast_the_time() -> None:
    over = threading.Event()

    def slow(host: str, port: int) -> Sequence[str]:
        over.wait(DEADLINE_S)
        return ["8.8.8.8"]

    try:
        with pytest.raises(FetchUnavailable):
            fetch("http://docs.example/", io.BytesIO(), limits=FetchLimits(total_s=0.2), way=Way(resolve=slow))
    finally:
        over.set()


def test_the_resolver_of_this_machine_answers_with_addresses() -> None:
    assert set(ask_system("127.0.0.1", 80)) == {"127.0.0.1"}


def test_an_allowed_host_may_be_inside() -> None:
    with listening({"/": ok(b"x")}) as server:
        way = Way(allowed=Allowed.of(["wiki.corp"]), ports=frozenset({server.port}), resolve=at("127.0.0.1"))
        assert fetch(f"http://wiki.corp:{server.port}/", io.BytesIO(), limits=LIMITS, way=way).size == 1
        assert isinstance(outcome(f"http://other.corp:{server.port}/", way=way), FetchRefused)


def test_a_proxy_in_the_environment_is_not_used(trapped: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trapped.port}")
    with listening({"/": ok(b"x")}) as server:
        way = Way(allowed=Allowed.of(["127.0.0.1"]), ports=frozenset({server.port}), resolve=at("127.0.0.1"))
        assert fetch(f"http://docs.example:{server.port}/", io.BytesIO(), limits=LIMITS, way=way).size == 1
    assert trapped.calls() == 0


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("docs.example").configure_cert(context)
    return context


@pytest.fixture
def client_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def way_to(server: Server, **changes: Any) -> Way:
    ports = frozenset({server.port})
    return Way(allowed=Allowed.of(["127.0.0.1"]), ports=ports, resolve=at("127.0.0.1"), **changes)


@pytest.mark.parametrize("host", ["docs.example", "DOCS.example."])
def test_the_name_is_asked_for_and_verified(
    host: str, server_side: ssl.SSLContext, client_side: ssl.SSLContext
) -> None:
    names: list[str | None] = []
    server_side.sni_callback = lambda _socket, name, _context: names.append(name)
    with listening({"/": ok(b"secret")}, tls=server_side) as server:
        into = io.BytesIO()
        fetch(f"https://{host}:{server.port}/", into, limits=LIMITS, way=way_to(server, tls=client_side))
    assert (into.getvalue(), names) == (b"secret", ["docs.example"])
    assert f"Host: docs.example:{server.port}\r\n" in server.heads[0]


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused(
    host: str, server_side: ssl.SSLContext, client_side: ssl.SSLContext
) -> None:
    with listening({"/": ok(b"secret")}, tls=server_side) as server:
        problem = outcome(f"https://{host}:{server.port}/", way=way_to(server, tls=client_side))
    assert isinstance(problem, FetchFailed)
    assert server.heads == []


def test_a_certificate_of_an_unknown_authority_is_refused(server_side: ssl.SSLContext) -> None:
    with listening({"/": ok(b"secret")}, tls=server_side) as server:
        problem = outcome(f"https://docs.example:{server.port}/", way=way_to(server))
    assert isinstance(problem, FetchFailed)
    assert server.heads == []


def test_a_server_without_tls_may_be_tried_again(client_side: ssl.SSLContext) -> None:
    with listening({}) as server:
        problem = outcome(f"https://docs.example:{server.port}/", way=way_to(server, tls=client_side))
    assert isinstance(problem, FetchUnavailable)


def test_a_server_that_never_agrees_on_tls_is_left(client_side: ssl.SSLContext) -> None:
    limits = FetchLimits(connect_s=DEADLINE_S, total_s=0.2)
    with listening({}) as server:
        way = way_to(server, tls=client_side)
        with pytest.raises(FetchUnavailable):
            fetch(f"https://docs.example:{server.port}/", io.BytesIO(), limits=limits, way=way)


def test_no_redirect_leads_from_https_to_http(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    pages = {"/": b""}
    with listening(pages, tls=server_side) as server:
        pages["/"] = status(302, f"Location: http://docs.example:{server.port}/")
        problem = outcome(f"https://docs.example:{server.port}/", way=way_to(server, tls=client_side))
    assert isinstance(problem, FetchRefused)
    assert len(server.heads) == 1


def test_https_goes_through_the_proxy_without_it_reading_along(
    server_side: ssl.SSLContext, client_side: ssl.SSLContext
) -> None:
    inner = Server(0)

    def tunnel(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with server_side.wrap_socket(connection, server_side=True) as secure:
            answer_once(secure, inner, {"/x": ok(b"secret")}, over)

    with listening({"docs.example:443": tunnel}) as proxy:
        way = Way(proxy=f"http://alice:p%40ss@127.0.0.1:{proxy.port}", tls=client_side, resolve=at())
        into = io.BytesIO()
        fetch("https://docs.example/x", into, limits=LIMITS, way=way)
    assert into.getvalue() == b"secret"
    assert "Proxy-Authorization: Basic YWxpY2U6cEBzcw==\r\n" in proxy.heads[0]
    assert "proxy" not in inner.heads[0].lower()


def test_http_goes_through_the_proxy_which_looks_names_up() -> None:
    with listening({"http://docs.example/x": ok(b"through")}) as proxy:
        into = io.BytesIO()
        way = Way(proxy=f"http://127.0.0.1:{proxy.port}", resolve=at())
        fetch("http://docs.example/x", into, limits=LIMITS, way=way)
    assert into.getvalue() == b"through"
    assert "Host: docs.example\r\n" in proxy.heads[0]


@pytest.mark.parametrize("code", [403, 407])
def test_a_proxy_that_will_not_connect_tells_the_user_nothing(code: int) -> None:
    denial = f"HTTP/1.1 {code} Denied, 10.0.0.7 is private\r\nContent-Length: 0\r\n\r\n".encode()
    with listening({"docs.example:443": denial}) as proxy:
        problem = outcome("https://docs.example/", way=Way(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert (problem.code, problem.detail) == ("fetch_refused", FetchRefused.title)


def test_a_proxy_in_trouble_may_be_tried_again() -> None:
    with listening({"docs.example:443": status(502)}) as proxy:
        problem = outcome("https://docs.example/", way=Way(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert (problem.code, problem.detail) == ("fetch_unavailable", FetchUnavailable.title)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::ffff:a9fe:a9fe]", "localhost", "wiki.corp"])
def test_what_is_near_is_not_even_asked_of_the_proxy(host: str, trapped: Trap) -> None:
    for scheme in ("http", "https"):
        problem = outcome(f"{scheme}://{host}/", way=Way(proxy=f"http://127.0.0.1:{trapped.port}"))
        assert isinstance(problem, FetchRefused)
    assert trapped.calls() == 0


def test_a_redirect_is_checked_with_a_proxy_too() -> None:
    with listening({"http://docs.example/": status(302, "Location: http://169.254.169.254/")}) as proxy:
        problem = outcome("http://docs.example/", way=Way(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert isinstance(problem, FetchRefused)
    assert len(proxy.heads) == 1


def test_the_password_of_a_proxy_is_not_shown() -> None:
    assert "hush" not in repr(Way(proxy="http://alice:hush@127.0.0.1:3128"))
