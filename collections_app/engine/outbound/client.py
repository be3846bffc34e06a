"""HTTP requests to servers that users name: pinned to a checked address, timed and bounded.

The check is made where connections are opened. There a name is resolved once, all its addresses are checked, and one of
them is connected to, so no second look-up, other spelling or redirect bypasses it. TLS is verified against the name.
"""

import functools
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, TypeAlias

import httpcore
import httpx

from collections_app.engine.outbound.addresses import Address, AllowList, parse_literal
from collections_app.engine.outbound.destination import WEB_PORTS, Destination, check_without_lookup
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchUnavailable

logger = logging.getLogger(__name__)

# Returns the addresses of a host and port as text. Raises OSError, as `socket.getaddrinfo` does.
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

USER_AGENT = "PaliAPI"

_MAX_ADDRESSES_TRIED = 4
_MAX_HEADER_BYTES = 64 * 1024
_UNKNOWN_NAME_ERRORS = {socket.EAI_NONAME, socket.EAI_ADDRFAMILY, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_DENIED_BY_PROXY = ("403", "407")


def system_resolver(host: str, port: int) -> Sequence[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@functools.cache
def default_tls_context() -> ssl.SSLContext:
    """Return a context that trusts the usual certificate authorities, or those in SSL_CERT_FILE."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundPolicy:
    """Which destinations are permitted, and how they are reached.

    A proxy is an http URL such as `http://user:password@proxy:3128`. It resolves names and checks addresses itself.
    """

    allow: AllowList = field(default_factory=AllowList)
    ports: frozenset[int] = WEB_PORTS
    proxy: str = field(default="", repr=False)
    resolve: Resolver = system_resolver
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Time limits for one connection, for one piece of a response, and a deadline (monotonic) for everything."""

    connect_s: float
    read_s: float
    deadline: float

    def remaining_s(self, timeout_s: float | None) -> float:
        """Return `timeout_s`, shortened to what the deadline leaves; raise FetchUnavailable if it has passed."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise FetchUnavailable
        return remaining if timeout_s is None else min(remaining, timeout_s)


@contextmanager
def exchange(
    method: str,
    destination: Destination,
    *,
    policy: OutboundPolicy,
    timeouts: Timeouts,
    headers: Mapping[str, str],
    content: bytes = b"",
) -> Iterator[httpcore.Response]:
    """Send one request and yield its response with the body unread; nothing is followed, decoded, cached or reused."""
    backend = _Backend(policy=policy, timeouts=timeouts)
    url = httpcore.URL(
        scheme=destination.scheme, host=destination.host, port=destination.port, target=destination.target
    )
    own_headers = {"Host": destination.authority, "User-Agent": USER_AGENT, "Connection": "close"}
    raw_headers = [(name.encode(), value.encode()) for name, value in {**own_headers, **headers}.items()]
    extensions = {"timeout": {"connect": timeouts.connect_s, "read": timeouts.read_s, "write": timeouts.read_s}}
    try:
        with (
            _connection_pool(destination, policy=policy, backend=backend) as pool,
            pool.stream(method, url, headers=raw_headers, content=content or None, extensions=extensions) as response,
        ):
            backend.headers_complete()
            yield response
    except httpcore.ProxyError as error:
        logger.info("The proxy did not connect: %s", error)
        raise (FetchRefused if str(error).startswith(_DENIED_BY_PROXY) else FetchUnavailable) from error
    except httpcore.LocalProtocolError as error:
        raise FetchRefused("This URL cannot be requested.") from error
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        logger.info("A server did not respond properly: %s", type(error).__name__)
        raise FetchUnavailable from error


def _connection_pool(
    destination: Destination, *, policy: OutboundPolicy, backend: "_Backend"
) -> httpcore.ConnectionPool:
    tls = policy.tls or default_tls_context()
    if not policy.proxy:
        return httpcore.ConnectionPool(ssl_context=tls, max_keepalive_connections=0, network_backend=backend)
    check_without_lookup(destination, allow=policy.allow)
    proxy = httpx.Proxy(policy.proxy)
    return httpcore.HTTPProxy(
        proxy_url=httpcore.URL(scheme=proxy.url.scheme, host=proxy.url.host, port=proxy.url.port, target="/"),
        proxy_auth=proxy.raw_auth,
        ssl_context=tls,
        max_keepalive_connections=0,
        network_backend=backend,
    )


class _Backend(httpcore.NetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, *, policy: OutboundPolicy, timeouts: Timeouts) -> None:
        self._policy = policy
        self._timeouts = timeouts
        self._plain = httpcore.SyncBackend()
        self._headers = _HeaderProgress()

    def headers_complete(self) -> None:
        self._headers.complete = True

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        # With a proxy, the host is the proxy, which the operator chose.
        hosts = [host] if self._policy.proxy else [str(address) for address in self._checked_addresses(host, port)]
        failure: Exception = FetchUnavailable()
        for pinned in hosts[:_MAX_ADDRESSES_TRIED]:
            try:
                timeout_s = self._timeouts.remaining_s(timeout)
                stream = self._plain.connect_tcp(pinned, port, timeout_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, timeouts=self._timeouts, headers=self._headers)
        raise failure

    def _checked_addresses(self, host: str, port: int) -> list[Address]:
        """Return all addresses of a host, or raise FetchRefused if a single one of them is not permitted."""
        literal = parse_literal(host)
        addresses = [literal] if literal else self._resolve(host, port)
        if not addresses or not all(self._policy.allow.permits(address, host=host) for address in addresses):
            raise FetchRefused
        return addresses

    def _resolve(self, host: str, port: int) -> list[Address]:
        future: Future[Sequence[str]] = Future()
        # A look-up cannot be interrupted, so if it takes too long a separate thread is left waiting for it.
        threading.Thread(target=_resolve_into, args=(self._policy.resolve, host, port, future), daemon=True).start()
        try:
            return [ip_address(text) for text in dict.fromkeys(future.result(self._timeouts.remaining_s(None)))]
        except socket.gaierror as error:
            raise (FetchRefused if error.errno in _UNKNOWN_NAME_ERRORS else FetchUnavailable) from error
        except ValueError as error:  # a name that cannot be looked up, or a result that is no address
            raise FetchRefused from error
        except OSError as error:  # including a timeout
            raise FetchUnavailable from error


def _resolve_into(resolve: Resolver, host: str, port: int, future: Future[Sequence[str]]) -> None:
    try:
        future.set_result(resolve(host, port))
    except Exception as error:
        future.set_exception(error)


@dataclass(slots=True)
class _HeaderProgress:
    """How many bytes were read before the response headers were complete."""

    bytes_read: int = 0
    complete: bool = False


class _Stream(httpcore.NetworkStream):
    """A connection that fails when the deadline passes or the response headers grow too large."""

    def __init__(self, inner: httpcore.NetworkStream, *, timeouts: Timeouts, headers: _HeaderProgress) -> None:
        self._inner = inner
        self._timeouts = timeouts
        self._headers = headers

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._headers.complete and self._headers.bytes_read > _MAX_HEADER_BYTES:
            raise FetchFailed("The server sent too many headers.")
        data = self._inner.read(max_bytes, self._timeouts.remaining_s(timeout))
        self._headers.bytes_read += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._timeouts.remaining_s(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            inner = self._inner.start_tls(ssl_context, server_hostname, self._timeouts.remaining_s(timeout))
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise FetchFailed("The certificate of the server cannot be trusted.") from error
            raise
        return _Stream(inner, timeouts=self._timeouts, headers=self._headers)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
