"""One client's connection: what was received of a request, and what is left of the response."""

from contextlib import suppress
from enum import Enum, auto
from io import BytesIO
from selectors import BaseSelector
from socket import socket
from typing import Any, Protocol

from gunicorn.http.body import ChunkedReader  # type: ignore[import-untyped]
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData  # type: ignore[import-untyped]
from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.http.unreader import IterUnreader  # type: ignore[import-untyped]

from paliapi.web_server.body import Body
from paliapi.web_server.limits import MAX_HEAD_BYTES, peer_of
from paliapi.web_server.output import Output


class Phase(Enum):
    """What a connection waits for."""

    HEAD = auto()  # the head of a request, or the next request
    BODY = auto()  # the rest of a body
    HANDLING = auto()  # a thread
    RESPONSE = auto()  # the client reads the rest of the response
    CLOSING = auto()  # the client closes its side; closing first could destroy a response on its way
    CLOSED = auto()


class Connection:
    """A connection. While a thread handles its request, the event loop leaves it alone."""

    __slots__ = (
        "address",
        "body",
        "deadline",
        "expects_continue",
        "has_begun",
        "keep_alive",
        "looked_at",
        "moved",
        "output",
        "pauses",
        "peer",
        "phase",
        "queued_at",
        "received",
        "received_bytes",
        "request",
        "requests",
        "searched",
        "server",
        "sock",
        "started_at",
        "watched",
    )

    def __init__(self, sock: socket, address: Any, server: Any) -> None:
        self.sock = sock
        self.address = address
        self.server = server
        self.peer = peer_of(address)
        self.phase = Phase.HEAD
        self.received = bytearray()
        self.received_bytes = 0  # of this request, in memory
        self.searched = 0
        self.request: Any = None
        self.requests = 0
        self.body: Body | None = None
        self.output: Output | None = None
        self.expects_continue = False
        self.keep_alive = False
        self.has_begun = False  # bytes of a head have arrived, not all
        self.watched = 0
        self.pauses = 0
        # Since when it waits for the client, and the bytes that counted as progress last.
        self.started_at = 0.0
        self.moved = 0
        self.queued_at = 0.0
        self.deadline = 0.0
        self.looked_at: int | None = None  # the step at which the event loop looks at the deadline

    def parse_head(self, cfg: Any) -> bool:
        """Return whether the head is complete: then it is parsed, and only what follows it is left in `received`.

        A malformed head raises an error of gunicorn's parser.
        """
        received = self.received
        end = received.find(b"\r\n\r\n", self.searched)
        self.searched = max(0, len(received) - 3)
        # A line feed alone ends no line; the parser refuses it at once.
        if end < 0 and len(received) <= MAX_HEAD_BYTES and received.count(b"\n") == received.count(b"\r\n"):
            return False
        unreader = IterUnreader([bytes(received)])
        try:
            request = Request(cfg, unreader, self.address, self.requests + 1)
        except NoMoreData:
            request = None
        if max(end, len(received) if request is None else 0) > MAX_HEAD_BYTES:
            raise LimitRequestHeaders("The head is too large.")
        if request is None:
            return False
        self.request = request
        self.requests += 1
        # gunicorn would send "100 Continue" when a thread handles the request, which is too late.
        self.expects_continue, request._expected_100_continue = request._expected_100_continue, False
        self.received = bytearray(unreader.take_buffered())
        self.searched = 0
        return True

    @property
    def body_length(self) -> int | None:
        """The length of the body, or None if it is sent in chunks."""
        reader = self.request.body.reader
        return None if isinstance(reader, ChunkedReader) else int(reader.length)

    def take_body(self) -> None:
        """Move what was received of the body to where it belongs."""
        if self.body is not None and self.received and self.body.missing:
            data = self.received[: self.body.missing]
            del self.received[: len(data)]
            self.body.write(data)

    def provide_body(self) -> bool:
        """Let the application read the body, if it was received; return whether it was."""
        self.request.body = BytesIO() if self.body is None else self.body.file
        return self.body is not None

    def forget_request(self) -> None:
        """Free what only producing the response needs."""
        if self.body is not None:
            self.body.close()
        self.request = self.body = None

    def end_request(self) -> None:
        """Forget the request and its response."""
        self.forget_request()
        if self.output is not None:
            self.output.close()
        self.output = None
        self.has_begun = False
        self.pauses = 0

    def watch(self, selector: BaseSelector, events: int) -> None:
        """Wait for these events only."""
        if events == self.watched:
            return
        if not self.watched:
            selector.register(self.sock, events, self)
        elif not events:
            selector.unregister(self.sock)
        else:
            selector.modify(self.sock, events, self)
        self.watched = events

    def close(self) -> None:
        self.phase = Phase.CLOSED
        self.end_request()
        with suppress(OSError):
            self.sock.close()


class Handler(Protocol):
    """What happens to requests. All methods return at once."""

    def handle(self, connection: Connection) -> None:
        """Start handling a request; `Clients.responded` or `Clients.drop` is called at the end."""

    def refuse(self, connection: Connection, reason: "Exception | str") -> None:
        """Write the response to an error of the parser, or with an error code."""

    def admit(self, connection: Connection) -> None:
        """Start deciding whether a large body is received; `Clients.admitted` gets the decision."""
