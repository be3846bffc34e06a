"""Web servers on loopback that send exactly the bytes a test wants, and a trap that must receive no connection."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

DEADLINE_S = 20.0

# Receives the connection, and an event that is set at the end of the test.
Response: TypeAlias = Callable[[socket.socket, threading.Event], None]


def ok(body: bytes, *headers: str) -> bytes:
    """Return a complete response with this body."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status(code: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {code} Reason", "Content-Length: 0", *headers, "", ""]).encode()


@dataclass(slots=True)
class Server:
    port: int
    heads: list[str] = field(default_factory=list)

    @property
    def requested(self) -> list[str]:
        """The targets of all requests so far."""
        return [head.split(" ")[1] for head in self.heads]


@contextmanager
def listening(
    pages: Mapping[str, bytes | Response],
    *,
    tls: ssl.SSLContext | None = None,
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Server]:
    """Run a server with a response for each target. It serves one connection at a time, with one request each."""
    done = threading.Event()
    with socket.create_server((address, port)) as listener:
        listener.settimeout(0.05)  # so that the thread notices the end of the test
        server = Server(listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, server, pages, tls, done))
        thread.start()
        try:
            yield server
        finally:
            done.set()
            thread.join(DEADLINE_S)
    assert not thread.is_alive()


def _serve(
    listener: socket.socket,
    server: Server,
    pages: Mapping[str, bytes | Response],
    tls: ssl.SSLContext | None,
    done: threading.Event,
) -> None:
    while not done.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection, suppress(OSError):  # clients may disconnect at any time
            connection.settimeout(DEADLINE_S)
            if tls:
                with tls.wrap_socket(connection, server_side=True) as secure:
                    respond_once(secure, server, pages, done)
            else:
                respond_once(connection, server, pages, done)


def respond_once(
    connection: socket.socket, server: Server, pages: Mapping[str, bytes | Response], done: threading.Event
) -> None:
    server.heads.append(read_head(connection))
    response = pages.get(server.requested[-1], status(404))
    if callable(response):
        response(connection, done)
    else:
        connection.sendall(response)


def read_head(connection: socket.socket) -> str:
    """Read a request up to the empty line."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ConnectionError
        head += piece
    return head.decode()


@dataclass(slots=True)
class Trap:
    """A listener whose connections stay in its queue until they are counted."""

    listener: socket.socket

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def calls(self) -> int:
        number = 0
        while True:
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return number
            number += 1


@contextmanager
def trap(address: str = "") -> Iterator[Trap]:
    """Listen on one address, or on every address of this machine."""
    both = not address and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    with socket.create_server((address, 0), family=family, dualstack_ipv6=both) as listener:
        listener.setblocking(False)
        yield Trap(listener)
