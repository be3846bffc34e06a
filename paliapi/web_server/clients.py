"""The event loop: receives requests from all clients and sends the rest of responses, within the limits.

A connection is closed if it misses a deadline, or if there are too many: then the one that has made no progress for
longest. Its methods run in one thread, except `call`.
"""

import os
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from paliapi.web_server.body import Body, NoRoom
from paliapi.web_server.connection import Connection, Handler, Phase
from paliapi.web_server.limits import MAX_BODY_IN_MEMORY, Limits, Room
from paliapi.web_server.waiting import Pauses, Waiting

log = structlog.get_logger(__name__)

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
# Few at a time, after the requests of others: thousands of slow clients get a part of the time, however many they are.
_ACCEPT_AT_ONCE, _SLOW_AT_ONCE, _CLOSE_AT_ONCE = 4, 16, 8
_MOST_REFUSALS, _REFUSALS_PER_S = 10.0, 4.0
_HEAD_READ_BYTES, _BODY_READ_BYTES, _PROGRESS_BYTES = 16 * 1024, 256 * 1024, 64 * 1024
# A client that sends less at a time is read less and less often, so that thousands of them cost little.
_SMALL_BYTES = 256
_FIRST_PAUSE_S, _PAUSE_GROWTH, _MAX_PAUSE_S = 0.5, 3, 5.0
# A client that sends too many requests learns it this much later, and so sends the next one later.
_HOLD_S = 0.25
# Often, so that few connections are closed at once, and few of an attacker's new ones arrive at once.
_CLOSING_S, _SWEEP_S = 2.0, 0.05


class Clients:
    """All connections of a process."""

    def __init__(self, cfg: Any, limits: Limits, handler: Handler) -> None:
        self._cfg = cfg
        self._limits = limits
        self._handler = handler
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._waiting = Waiting(most_of_a_peer=limits.peer_connections, step_s=_SWEEP_S)
        self._pauses = Pauses()
        self._swept_at = 0.0
        self._refusals_left = _MOST_REFUSALS
        self._stop_at: float | None = None
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._wake_read, self._wake_write = os.pipe()
        for descriptor in (self._wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        self._selector.register(self._wake_read, _READ, self._run_calls)
        self._received_bytes = 0  # in memory
        self.memory = Room(limits.memory_bytes)
        self.room = Room(limits.room_bytes)
        self.closed: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._connections)

    # --- Called by the worker ---------------------------------------------------------------------------------------

    def listen(self, listeners: Sequence[Any]) -> None:
        for listener in listeners:
            listener.setblocking(False)  # noqa: FBT003 - no keyword
            self._selector.register(listener, _READ, partial(self._accept, listener.getsockname()))

    def stop(self, listeners: Sequence[Any], *, within_s: float) -> None:
        """Accept no more connections, and close those without a request soon."""
        for listener in listeners:
            self._selector.unregister(listener)
        self._stop_at = time.monotonic() + within_s
        for connection in self._waiting:
            if connection.phase is Phase.HEAD:
                self._waiting.set_deadline(connection, min(connection.deadline, self._stop_at))

    def call(self, function: Callable[[], None]) -> None:
        """Run a function in the event loop; called by other threads."""
        self._calls.put(function)
        with suppress(BlockingIOError):  # then enough wake-ups are in the pipe
            os.write(self._wake_write, b"\0")

    def run_once(self, timeout_s: float) -> None:
        """Wait for events and handle them."""
        slow, others = [], []
        timeout_s = self._pauses.shorten(_SWEEP_S if self._waiting.is_late() else timeout_s)
        for key, _ in self._selector.select(timeout_s):
            if not isinstance(key.data, Connection):
                others.append(key)
            elif key.data.pauses:
                slow.append(key.data)
            else:
                self._guarded(key.data, self._ready)
        for key in others:
            key.data(key.fileobj)
        for connection in slow[:_SLOW_AT_ONCE]:
            self._guarded(connection, self._ready)
        now = time.monotonic()
        for connection in self._pauses.over(now, at_most=_SLOW_AT_ONCE):
            if connection.phase in (Phase.HEAD, Phase.BODY, Phase.RESPONSE):
                self._guarded(connection, self._ready)
        if now - self._swept_at >= _SWEEP_S:
            self._sweep(now)

    def admitted(self, connection: Connection, account: str | None) -> None:
        """Receive the large body of a request, or let the application respond without it."""
        if account is None:
            self._hand_over(connection)
        else:
            self._guarded(connection, lambda one: self._receive_body(one, account))

    def responded(self, connection: Connection) -> None:
        """Send the rest of a response, then wait for the next request."""
        connection.forget_request()
        if connection.output is not None and connection.output.is_held:
            self._wait(connection, Phase.RESPONSE, self._limits.grace_s)
            self._pauses.add(connection, _HOLD_S)
        else:
            self._guarded(connection, self._send_rest)

    def without_response(self, connection: Connection) -> None:
        """Respond with an internal error."""
        self._guarded(connection, lambda one: self._refuse(one, "internal_error"))

    def close(self) -> None:
        for connection in list(self._connections):
            self.drop(connection)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    # --- Events -----------------------------------------------------------------------------------------------------

    def _run_calls(self, _: Any) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        with suppress(Empty):
            while True:
                self._calls.get_nowait()()

    def _accept(self, server: Any, listener: Any) -> None:
        for _ in range(_ACCEPT_AT_ONCE):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as problem:  # no descriptors are left
                log.warning("connection_not_accepted", error=problem.strerror)
                if not self._drop_oldest():
                    time.sleep(0.05)  # there is nothing to close yet
                return
            if len(self._connections) >= self._limits.connections and not self._drop_oldest():
                sock.close()
                continue
            sock.setblocking(False)  # noqa: FBT003
            connection = Connection(sock, address, server)
            self._connections.add(connection)
            self._wait(connection, Phase.HEAD, self._limits.head_s)
            self._guarded(connection, self._read)  # its request has usually arrived, too

    def _guarded(self, connection: Connection, function: Callable[[Connection], None]) -> None:
        """Run a function, so that a failure affects this connection only."""
        if connection.phase is Phase.CLOSED:
            return
        try:
            function(connection)
        except OSError:  # the client has disconnected
            self.drop(connection)
        except Exception:  # the other connections continue
            log.exception("connection_failed")
            self.drop(connection)

    def _ready(self, connection: Connection) -> None:
        if connection.phase is Phase.RESPONSE:
            self._send_rest(connection)
        else:
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        size = _HEAD_READ_BYTES if connection.phase is Phase.HEAD else _BODY_READ_BYTES
        try:
            data = connection.sock.recv(size)
        except BlockingIOError:
            connection.watch(self._selector, _READ)
            return
        if connection.phase is Phase.CLOSING:
            connection.moved += len(data)
            if not data or connection.moved > self._limits.max_body_bytes:
                self.drop(connection)
        elif data:
            connection.received += data
            self._count(connection, len(data))
            if connection.phase is not Phase.CLOSED:
                self._advance(connection, small=len(data) < _SMALL_BYTES)
        elif connection.phase is Phase.BODY:
            self._refuse_some(connection, "incomplete_body")
        else:
            self.drop(connection)

    # --- A request --------------------------------------------------------------------------------------------------

    def _advance(self, connection: Connection, *, small: bool = False) -> None:
        """Continue with what was received."""
        if connection.phase is Phase.BODY:
            self._continue_body(connection, small=small)
            return
        try:
            complete = connection.parse_head(self._cfg)
        except ParseException as problem:
            self._refuse(connection, problem)
            return
        if complete:
            self._begin_body(connection)
            return
        if not connection.has_begun:
            connection.has_begun = True
            self._waiting.set_deadline(connection, time.monotonic() + self._limits.head_s)
        self._watch_or_pause(connection, small=small)

    def _begin_body(self, connection: Connection) -> None:
        length = connection.body_length
        if length is None or length > self._limits.max_body_bytes:
            self._hand_over(connection)  # the application refuses such a body without reading it
        elif length > MAX_BODY_IN_MEMORY:
            self._leave(connection)
            self._handler.admit(connection)
        else:
            self._receive_body(connection, account="")

    def _receive_body(self, connection: Connection, account: str) -> None:
        length = connection.body_length or 0
        try:
            connection.body = Body(length, account=account, room=self.room, folder=self._limits.folder)
            connection.take_body()
        except NoRoom:
            self._refuse(connection, "overloaded")
            return
        if not connection.body.missing:
            self._hand_over(connection)
            return
        if connection.expects_continue and connection.body.missing == length:
            connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._wait(connection, Phase.BODY, self._limits.grace_s)
        self._extend(connection, length - connection.body.missing)
        connection.watch(self._selector, _READ)

    def _continue_body(self, connection: Connection, *, small: bool) -> None:
        body, length = connection.body, connection.body_length
        if body is None or length is None:
            raise AssertionError("A body of known length is being received.")
        try:
            connection.take_body()
        except NoRoom:
            self._refuse(connection, "overloaded")
            return
        if not body.missing:
            self._hand_over(connection)
            return
        self._extend(connection, length - body.missing)
        self._watch_or_pause(connection, small=small)

    def _hand_over(self, connection: Connection) -> None:
        """Let the application respond. The connection is kept only if everything was received."""
        self._leave(connection)
        connection.keep_alive = connection.provide_body()
        self._handler.handle(connection)

    def _refuse(self, connection: Connection, reason: "Exception | str") -> None:
        self._leave(connection)
        connection.keep_alive = False
        self._handler.refuse(connection, reason)
        self._send_rest(connection)

    # --- A response -------------------------------------------------------------------------------------------------

    def _send_rest(self, connection: Connection) -> None:
        output = connection.output
        if output is None:
            raise AssertionError("There is a response.")
        if output.drain():
            self._leave(connection)
            self._end_request(connection)
            return
        if connection.phase is not Phase.RESPONSE:
            self._wait(connection, Phase.RESPONSE, self._limits.grace_s)
        connection.watch(self._selector, _WRITE)
        self._extend(connection, output.sent)

    def _end_request(self, connection: Connection) -> None:
        connection.end_request()
        self._count(connection, len(connection.received) - connection.received_bytes)
        if not connection.keep_alive:
            connection.received.clear()
            connection.sock.shutdown(socket.SHUT_WR)
            self._wait(connection, Phase.CLOSING, _CLOSING_S)
            connection.watch(self._selector, _READ)
            return
        self._wait(connection, Phase.HEAD, self._cfg.keepalive)
        if self._stop_at is not None:
            self._waiting.set_deadline(connection, min(connection.deadline, self._stop_at))
        if connection.received:
            self._advance(connection)
        else:
            connection.watch(self._selector, _READ)

    # --- Deadlines and limits ---------------------------------------------------------------------------------------

    def _wait(self, connection: Connection, phase: Phase, seconds: float) -> None:
        """Make a connection wait for its client."""
        connection.phase = phase
        connection.started_at = time.monotonic()
        connection.deadline = connection.started_at + seconds
        connection.moved = 0
        too_many = self._waiting.add(connection)
        if too_many is not None:
            self.drop(too_many, "client_limit")

    def _leave(self, connection: Connection) -> None:
        """Leave a connection to a thread, or to what follows."""
        connection.watch(self._selector, 0)
        connection.phase = Phase.HANDLING
        self._waiting.discard(connection)

    def _extend(self, connection: Connection, moved: int) -> None:
        """Extend the deadline by the time that the bytes moved so far may take."""
        connection.deadline = connection.started_at + self._limits.grace_s + moved / self._limits.bytes_per_s
        if moved - connection.moved >= _PROGRESS_BYTES:
            connection.moved = moved
            self._waiting.progressed(connection)

    def _count(self, connection: Connection, size: int) -> None:
        """Count bytes received into memory, for which the oldest connections make way."""
        if connection.body is None or connection.body.is_in_memory or size < 0:
            connection.received_bytes += size
            self._received_bytes += size
            while self._received_bytes > self._limits.memory_bytes and self._drop_oldest():
                pass

    def _watch_or_pause(self, connection: Connection, *, small: bool) -> None:
        connection.pauses += small
        if not small or connection.pauses == 1:
            connection.watch(self._selector, _READ)
            return
        connection.watch(self._selector, 0)
        self._pauses.add(connection, min(_FIRST_PAUSE_S * _PAUSE_GROWTH ** min(connection.pauses - 2, 9), _MAX_PAUSE_S))

    def _sweep(self, now: float) -> None:
        """Close the connections that missed their deadline."""
        self._refusals_left = min(self._refusals_left + _REFUSALS_PER_S * (now - self._swept_at), _MOST_REFUSALS)
        self._swept_at = now
        for connection in self._waiting.missed(now, at_most=_CLOSE_AT_ONCE):
            if connection.phase is Phase.BODY or (connection.phase is Phase.HEAD and connection.has_begun):
                self.closed["request_timeout"] += 1
                self._refuse_some(connection, "request_timeout")
            else:
                self.drop(connection, "response_timeout" if connection.phase is Phase.RESPONSE else "")

    def _refuse_some(self, connection: Connection, code: str) -> None:
        """Answer a client that does not complete its request, unless there are too many: that would help them."""
        if self._refusals_left >= 1:
            self._refusals_left -= 1
            self._guarded(connection, lambda one: self._refuse(one, code))
        else:
            self.drop(connection)

    def _drop_oldest(self) -> bool:
        """Close the connection without progress for longest; return whether there was one."""
        oldest = self._waiting.oldest()
        if oldest is not None:
            self.drop(oldest, "connection_limit")
        return oldest is not None

    def drop(self, connection: Connection, reason: str = "") -> None:
        """Close a connection, such as one whose response cannot be completed."""
        if connection.phase is Phase.CLOSED:
            return
        self._leave(connection)
        self._connections.discard(connection)
        self._count(connection, -connection.received_bytes)
        connection.close()
        if reason:
            self.closed[reason] += 1
