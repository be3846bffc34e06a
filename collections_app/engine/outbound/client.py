"""Requests to servers that users name: pinned to an address that was judged, timed, and bounded.

The guard stands where connections are made. There a name is looked up once, all its addresses are judged, and one of
them is connected to; so no second look-up, other spelling or redirect gets past it. TLS is verified against the name.
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

from collections_app.engine.outbound.addresses import Address, Allowed, literal
from collections_app.engine.outbound.destination import WEB_PORTS, Destination, check_by_name
from collections_app.engine.outbound.errors import FetchFailed, FetchRefused, FetchUnavailable

logger = logging.getLogger(__name__)

# The addresses of a host and port, as text. Raises OSError, as `socket.getaddrinfo` does.
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

USER_AGENT = "PaliAPI"

_MOST_ADDRESSES = 4
_MOST_HEADER_BYTES = 64 * 1024
_NO_SUCH_NAME = {socket.EAI_NONAME, socket.EAI_ADDRFAMILY, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_DENIED_BY_PROXY = ("403", "407")


def ask_system(host: str, port: int) -> Sequence[str]:
    """The resolver of this machine."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@functools.cache
def trusted() -> ssl.SSLContext:
    """The usual certificate authorities, or those in SSL_CERT_FILE."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How requests leave this machine.

    A proxy is an http URL such as `http://user:password@proxy:3128`. It looks names up and judges addresses itself.
    """

    allowed: Allowed = field(default_factory=Allowed)
    ports: frozenset[int] = WEB_PORTS
    proxy: str = field(default="", repr=False)
    resolve: Resolver = ask_system
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for one connection, for one piece of an answer, and until when (monotonic) for everything."""

    connect_s: float
    read_s: float
    until: float

    def left_s(self, wanted_s: float | None) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise FetchUnavailable
        return left if wanted_s is None else min(left, wanted_s)


@contextmanager
def exchange(
    method: str,
    where: Destination,
    *,
    way: Way,
    patience: Patience,
    headers: Mapping[str, str],
    content: bytes = b"",
) -> Iterator[httpcore.Response]:
    """One request and its answer, whose body is still to be read; nothing is followed, decoded, kept or reused."""
    backend = _Backend(way=way, patience=patience)
    url = httpcore.URL(scheme=where.scheme, host=where.host, port=where.port, target=where.target)
    always = {"Host": where.authority, "User-Agent": USER_AGENT, "Connection": "close"}
    sent = [(name.encode(), value.encode()) for name, value in {**always, **headers}.items()]
    timeouts = {"connect": patience.connect_s, "read": patience.read_s, "write": patience.read_s}
    try:
        with (
            _pool(where, way=way, backend=backend) as pool,
            pool.stream(method, url, headers=sent, content=content or None, extensions={"timeout": timeouts}) as answer,
        ):
            backend.headers_are_in()
            yield answer
    except httpcore.ProxyError as error:
        logger.info("The proxy did not connect: %s", error)
        raise (FetchRefused if str(error).startswith(_DENIED_BY_PROXY) else FetchUnavailable) from error
    except httpcore.LocalProtocolError as error:
        raise FetchRefused("This URL cannot be asked for.") from error
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        logger.info("A server did not answer as it should: %s", type(error).__name__)
        raise FetchUnavailable from error


def _pool(where: Destination, *, way: Way, backend: "_Backend") -> httpcore.ConnectionPool:
    tls = way.tls or trusted()
    if not way.proxy:
        return httpcore.ConnectionPool(ssl_context=tls, max_keepalive_connections=0, network_backend=backend)
    check_by_name(where, allowed=way.allowed)
    proxy = httpx.Proxy(way.proxy)
    return httpcore.HTTPProxy(
        proxy_url=httpcore.URL(scheme=proxy.url.scheme, host=proxy.url.host, port=proxy.url.port, target="/"),
        proxy_auth=proxy.raw_auth,
        ssl_context=tls,
        max_keepalive_connections=0,
        network_backend=backend,
    )


class _Backend(httpcore.NetworkBackend):
    """Makes the connections."""

    def __init__(self, *, way: Way, patience: Patience) -> None:
        self._way = way
        self._patience = patience
        self._plain = httpcore.SyncBackend()
        self._head = _Head()

    def headers_are_in(self) -> None:
        self._head.complete = True

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        # With a proxy, the host is the proxy, which the operator chose.
        hosts = [host] if self._way.proxy else [str(address) for address in self._judged(host, port)]
        problem: Exception = FetchUnavailable()
        for pinned in hosts[:_MOST_ADDRESSES]:
            try:
                within_s = self._patience.left_s(timeout)
                stream = self._plain.connect_tcp(pinned, port, within_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _Stream(stream, patience=self._patience, head=self._head)
        raise problem

    def _judged(self, host: str, port: int) -> list[Address]:
        """All the addresses of a host, if every single one may be connected to."""
        address = literal(host)
        addresses = [address] if address else self._looked_up(host, port)
        if not addresses or not all(self._way.allowed.permits(found, host=host) for found in addresses):
            raise FetchRefused
        return addresses

    def _looked_up(self, host: str, port: int) -> list[Address]:
        found: Future[Sequence[str]] = Future()
        # Looking a name up cannot be interrupted, so another thread is left waiting where it takes too long.
        threading.Thread(target=_look_up, args=(self._way.resolve, host, port, found), daemon=True).start()
        try:
            return [ip_address(text) for text in dict.fromkeys(found.result(self._patience.left_s(None)))]
        except socket.gaierror as error:
            raise (FetchRefused if error.errno in _NO_SUCH_NAME else FetchUnavailable) from error
        except ValueError as error:  # a name that cannot be asked for, or an answer that is no address
            raise FetchRefused from error
        except OSError as error:  # also when the time is over
            raise FetchUnavailable from error


def _look_up(resolve: Resolver, host: str, port: int, found: Future[Sequence[str]]) -> None:
    try:
        found.set_result(resolve(host, port))
    except Exception as error:
        found.set_exception(error)


@dataclass(slots=True)
class _Head:
    """What was read before the headers of an answer were complete."""

    read: int = 0
    complete: bool = False


class _Stream(httpcore.NetworkStream):
    """A connection that ends when the time is over, or when headers do not."""

    def __init__(self, inner: httpcore.NetworkStream, *, patience: Patience, head: _Head) -> None:
        self._inner = inner
        self._patience = patience
        self._head = head

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._head.complete and self._head.read > _MOST_HEADER_BYTES:
            raise FetchFailed("The server sent more headers than are read.")
        data = self._inner.read(max_bytes, self._patience.left_s(timeout))
        self._head.read += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._patience.left_s(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            inner = self._inner.start_tls(ssl_context, server_hostname, self._patience.left_s(timeout))
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise FetchFailed("The certificate of the server cannot be trusted.") from error
            raise
        return _Stream(inner, patience=self._patience, head=self._head)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
