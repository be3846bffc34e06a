import io
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import trustme

from collections_app.engine.outbound.addresses import AllowList
from collections_app.engine.outbound.client import OutboundPolicy, Resolver, system_resolver
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchUnavailable
from collections_app.engine.outbound.fetch import FetchLimits, fetch
from paliapi.errors import Error
from tests.collections_app.engine.outbound.web_servers import (
    DEADLINE_S,
    Server,
    Trap,
    listening,
    ok,
    respond_once,
    status,
    trap,
)

LIMITS = FetchLimits(max_bytes=1000, connect_s=5, read_s=5, total_s=DEADLINE_S)
# Another loopback address stands in for the public network; 127.0.0.1 remains private. A port that is free there may be
# in use at 127.0.0.1, where all other servers listen: servers that share a port begin with 127.0.0.1.
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
    "[2606:4700::5efe:127.0.0.1]", "[2606:4700::200:5efe:7f00:1]",
    "[::1%25lo]", "[::1%lo]", "[fe80::1%25lo]", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[ff02::1]", "[::ffff:0.0.0.0]",
    "[::1].", "[127.0.0.1]", "[::1", "x@127.0.0.1", "example.com@127.0.0.1", "example.com\\@127.0.0.1",
    "127.0.0.1\\@example.com", "127.0.0.1\t", "127.0.0.1\n", " 127.0.0.1", "localhost", "LOCALHOST", "localhost.",
    "ip6-localhost", "x.localhost",
)  # fmt: skip


@pytest.fixture
def listener() -> Iterator[Trap]:
    with trap() as listener:
        yield listener


def at(*addresses: str) -> Resolver:
    """Return a resolver that returns these addresses for every name."""

    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def policy_for(server: Server, **changes: Any) -> OutboundPolicy:
    """Return a policy under which every name resolves to this server."""
    loopback = AllowList.parse(["127.0.0.1"])
    ports = frozenset({server.port})
    return OutboundPolicy(**{"allow": loopback, "ports": ports, "resolve": at("127.0.0.1"), **changes})


def outcome(url: str, *, policy: OutboundPolicy) -> Error:
    with pytest.raises(Error) as caught:
        fetch(url, io.BytesIO(), limits=LIMITS, policy=policy)
    return caught.value


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_the_local_machine_is_contacted(spelling: str, listener: Trap) -> None:
    policy = OutboundPolicy(ports=frozenset({listener.port}), resolve=at("127.0.0.1", "::1"))
    assert isinstance(outcome(f"http://{spelling}:{listener.port}/", policy=policy), FetchRefused)
    assert listener.calls() == 0


def test_the_trap_counts_a_connection(listener: Trap) -> None:
    policy = OutboundPolicy(ports=frozenset({listener.port}), allow=AllowList.parse(["127.0.0.0/8"]))
    with pytest.raises(FetchUnavailable):
        fetch(f"http://127.0.0.1:{listener.port}/", io.BytesIO(), limits=FetchLimits(read_s=0.1), policy=policy)
    assert listener.calls() == 1


@pytest.mark.parametrize(
    "answers",
    [("127.0.0.1",), ("::1",), ("::ffff:127.0.0.1",), ("64:ff9b::7f00:1",), ("10.0.0.1",), ("8.8.8.8", "127.0.0.1"),
     ("127.0.0.1", "8.8.8.8"), ("fe80::1%lo",), ()],
)  # fmt: skip
def test_a_name_with_any_private_address_is_refused(answers: tuple[str, ...], listener: Trap) -> None:
    policy = OutboundPolicy(ports=frozenset({listener.port}), resolve=at(*answers))
    error = outcome(f"http://docs.example:{listener.port}/", policy=policy)
    assert isinstance(error, FetchRefused)
    assert listener.calls() == 0


def test_private_and_unknown_names_give_the_same_error(listener: Trap) -> None:
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    ports = frozenset({listener.port})
    errors = [
        outcome(f"http://wiki.example:{listener.port}/", policy=OutboundPolicy(ports=ports, resolve=resolve))
        for resolve in (nowhere, at("127.0.0.1"), at("10.255.255.1"), at("8.8.8.8", "10.0.0.1"), at("fd00::1"))
    ]
    errors.append(outcome(f"http://10.0.0.1:{listener.port}/", policy=OutboundPolicy(ports=ports)))
    assert {(error.code, error.detail) for error in errors} == {("fetch_refused", FetchRefused.title)}


def test_a_name_is_resolved_once_and_the_connection_is_pinned() -> None:
    results = iter([[OUTSIDE], ["127.0.0.1"]])

    def rebinding(host: str, port: int) -> Sequence[str]:
        return next(results)

    pages = {"/": ok(b"content")}
    with listening(pages) as inside, listening(pages, address=OUTSIDE, port=inside.port) as server:
        policy = OutboundPolicy(allow=AllowList.parse([OUTSIDE]), ports=frozenset({server.port}), resolve=rebinding)
        fetch(f"http://docs.example:{server.port}/", io.BytesIO(), limits=LIMITS, policy=policy)
        assert isinstance(outcome(f"http://docs.example:{server.port}/", policy=policy), FetchRefused)
    assert server.requested == ["/"]
    assert inside.requested == []


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "//127.0.0.1:{port}/", "http://2130706433:{port}/",
     "http://inside.example:{port}/", "http://localhost:{port}/", "/again"],
)  # fmt: skip
def test_redirects_to_private_addresses_are_refused(location: str) -> None:
    resolved: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        resolved.append(host)
        return [OUTSIDE] if resolved == ["docs.example"] else ["127.0.0.1"]

    pages = {"/": b""}
    with listening({}) as inside, listening(pages, address=OUTSIDE, port=inside.port) as server:
        pages["/"] = status(302, "Location: " + location.format(port=server.port))
        policy = OutboundPolicy(allow=AllowList.parse([OUTSIDE]), ports=frozenset({server.port}), resolve=resolve)
        error = outcome(f"http://docs.example:{server.port}/", policy=policy)
    assert isinstance(error, FetchRefused)
    assert server.requested == ["/"]
    assert inside.heads == []


def test_the_next_address_is_tried_when_one_is_unreachable() -> None:
    with listening({"/": ok(b"x")}) as server:
        allow = AllowList.parse(["127.0.0.0/8"])
        policy = OutboundPolicy(allow=allow, ports=frozenset({server.port}), resolve=at("127.0.0.9", "127.0.0.1"))
        assert fetch(f"http://docs.example:{server.port}/", io.BytesIO(), limits=LIMITS, policy=policy).size == 1


def test_an_unreachable_server_is_retryable() -> None:
    with listening({}) as server:
        port = server.port
    policy = OutboundPolicy(allow=AllowList.parse(["127.0.0.1"]), ports=frozenset({port}), resolve=at("127.0.0.1"))
    error = outcome(f"http://docs.example:{port}/", policy=policy)
    assert (error.code, error.detail) == ("fetch_unavailable", FetchUnavailable.title)


def test_a_temporary_dns_failure_is_retryable() -> None:
    def busy(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    assert isinstance(outcome("http://docs.example/", policy=OutboundPolicy(resolve=busy)), FetchUnavailable)


def test_a_resolver_result_that_is_no_address_is_refused() -> None:
    assert isinstance(
        outcome("http://docs.example/", policy=OutboundPolicy(resolve=at("elsewhere.example"))), FetchRefused
    )


def test_a_slow_dns_look_up_times_out() -> None:
    done = threading.Event()

    def slow(host: str, port: int) -> Sequence[str]:
        done.wait(DEADLINE_S)
        return ["8.8.8.8"]

    try:
        with pytest.raises(FetchUnavailable):
            fetch(
                "http://docs.example/",
                io.BytesIO(),
                limits=FetchLimits(total_s=0.2),
                policy=OutboundPolicy(resolve=slow),
            )
    finally:
        done.set()


def test_the_system_resolver_returns_addresses() -> None:
    assert set(system_resolver("127.0.0.1", 80)) == {"127.0.0.1"}


def test_an_allowed_host_may_have_a_private_address() -> None:
    with listening({"/": ok(b"x")}) as server:
        policy = OutboundPolicy(
            allow=AllowList.parse(["wiki.corp"]), ports=frozenset({server.port}), resolve=at("127.0.0.1")
        )
        assert fetch(f"http://wiki.corp:{server.port}/", io.BytesIO(), limits=LIMITS, policy=policy).size == 1
        assert isinstance(outcome(f"http://other.corp:{server.port}/", policy=policy), FetchRefused)


def test_proxy_variables_in_the_environment_are_ignored(listener: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    with listening({"/": ok(b"x")}) as server:
        policy = OutboundPolicy(
            allow=AllowList.parse(["127.0.0.1"]), ports=frozenset({server.port}), resolve=at("127.0.0.1")
        )
        assert fetch(f"http://docs.example:{server.port}/", io.BytesIO(), limits=LIMITS, policy=policy).size == 1
    assert listener.calls() == 0


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


@pytest.mark.parametrize("host", ["docs.example", "DOCS.example."])
def test_tls_sends_and_verifies_the_host_name(
    host: str, server_side: ssl.SSLContext, client_side: ssl.SSLContext
) -> None:
    names: list[str | None] = []
    server_side.sni_callback = lambda _socket, name, _context: names.append(name)
    with listening({"/": ok(b"secret")}, tls=server_side) as server:
        into = io.BytesIO()
        fetch(f"https://{host}:{server.port}/", into, limits=LIMITS, policy=policy_for(server, tls=client_side))
    assert (into.getvalue(), names) == (b"secret", ["docs.example"])
    assert f"Host: docs.example:{server.port}\r\n" in server.heads[0]


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(
    host: str, server_side: ssl.SSLContext, client_side: ssl.SSLContext
) -> None:
    with listening({"/": ok(b"secret")}, tls=server_side) as server:
        error = outcome(f"https://{host}:{server.port}/", policy=policy_for(server, tls=client_side))
    assert isinstance(error, FetchFailed)
    assert server.heads == []


def test_a_certificate_from_an_unknown_authority_is_refused(server_side: ssl.SSLContext) -> None:
    with listening({"/": ok(b"secret")}, tls=server_side) as server:
        error = outcome(f"https://docs.example:{server.port}/", policy=policy_for(server))
    assert isinstance(error, FetchFailed)
    assert server.heads == []


def test_a_server_without_tls_is_retryable(client_side: ssl.SSLContext) -> None:
    with listening({}) as server:
        error = outcome(f"https://docs.example:{server.port}/", policy=policy_for(server, tls=client_side))
    assert isinstance(error, FetchUnavailable)


def test_a_stalled_tls_handshake_times_out(client_side: ssl.SSLContext) -> None:
    limits = FetchLimits(connect_s=DEADLINE_S, total_s=0.2)
    with listening({}) as server:
        policy = policy_for(server, tls=client_side)
        with pytest.raises(FetchUnavailable):
            fetch(f"https://docs.example:{server.port}/", io.BytesIO(), limits=limits, policy=policy)


def test_a_redirect_from_https_to_http_is_refused(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    pages = {"/": b""}
    with listening(pages, tls=server_side) as server:
        pages["/"] = status(302, f"Location: http://docs.example:{server.port}/")
        error = outcome(f"https://docs.example:{server.port}/", policy=policy_for(server, tls=client_side))
    assert isinstance(error, FetchRefused)
    assert len(server.heads) == 1


def test_https_is_tunnelled_through_the_proxy(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    inner = Server(0)

    def tunnel(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with server_side.wrap_socket(connection, server_side=True) as secure:
            respond_once(secure, inner, {"/x": ok(b"secret")}, over)

    with listening({"docs.example:443": tunnel}) as proxy:
        policy = OutboundPolicy(proxy=f"http://alice:p%40ss@127.0.0.1:{proxy.port}", tls=client_side, resolve=at())
        into = io.BytesIO()
        fetch("https://docs.example/x", into, limits=LIMITS, policy=policy)
    assert into.getvalue() == b"secret"
    assert "Proxy-Authorization: Basic YWxpY2U6cEBzcw==\r\n" in proxy.heads[0]
    assert "proxy" not in inner.heads[0].lower()


def test_the_proxy_resolves_names_for_http() -> None:
    with listening({"http://docs.example/x": ok(b"through")}) as proxy:
        into = io.BytesIO()
        policy = OutboundPolicy(proxy=f"http://127.0.0.1:{proxy.port}", resolve=at())
        fetch("http://docs.example/x", into, limits=LIMITS, policy=policy)
    assert into.getvalue() == b"through"
    assert "Host: docs.example\r\n" in proxy.heads[0]


@pytest.mark.parametrize("code", [403, 407])
def test_a_denial_by_the_proxy_reveals_nothing(code: int) -> None:
    denial = f"HTTP/1.1 {code} Denied, 10.0.0.7 is private\r\nContent-Length: 0\r\n\r\n".encode()
    with listening({"docs.example:443": denial}) as proxy:
        error = outcome("https://docs.example/", policy=OutboundPolicy(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert (error.code, error.detail) == ("fetch_refused", FetchRefused.title)


def test_a_proxy_failure_is_retryable() -> None:
    with listening({"docs.example:443": status(502)}) as proxy:
        error = outcome("https://docs.example/", policy=OutboundPolicy(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert (error.code, error.detail) == ("fetch_unavailable", FetchUnavailable.title)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::ffff:a9fe:a9fe]", "localhost", "wiki.corp"])
def test_local_destinations_are_refused_before_the_proxy_is_contacted(host: str, listener: Trap) -> None:
    for scheme in ("http", "https"):
        error = outcome(f"{scheme}://{host}/", policy=OutboundPolicy(proxy=f"http://127.0.0.1:{listener.port}"))
        assert isinstance(error, FetchRefused)
    assert listener.calls() == 0


def test_redirects_are_checked_behind_a_proxy() -> None:
    with listening({"http://docs.example/": status(302, "Location: http://169.254.169.254/")}) as proxy:
        error = outcome("http://docs.example/", policy=OutboundPolicy(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert isinstance(error, FetchRefused)
    assert len(proxy.heads) == 1


def test_the_proxy_password_is_not_in_the_repr() -> None:
    assert "hush" not in repr(OutboundPolicy(proxy="http://alice:hush@127.0.0.1:3128"))
