"""The socket that gunicorn writes a response to, which never makes a thread wait for the client.

What the client does not take at once is kept, in memory or in a temporary file. A thread uses an Output while the
response is produced, the event loop afterwards, never both.
"""

import os
import tempfile
from collections import deque
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import IO, Any

from paliapi.web_server.limits import Room

_MAX_IN_MEMORY = 256 * 1024
_SEND_BYTES = 256 * 1024
# Sent per turn of the event loop.
_TURN_BYTES = 1024 * 1024


class ClientTooSlow(ConnectionAbortedError):
    """The client does not read, and there is no room for more of the response."""


class _Bytes:
    """Bytes of the response that are still to be sent."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    @property
    def left(self) -> int:
        return len(self._data)

    def send(self, sock: socket) -> int:
        sent = sock.send(self._data[:_SEND_BYTES])
        self._data = self._data[sent:]
        return sent

    def close(self) -> None:
        pass


class _FilePart:
    """A part of a file that is still to be sent."""

    __slots__ = ("_fd", "_offset", "left")

    def __init__(self, fd: int, offset: int, length: int) -> None:
        self._fd = fd
        self._offset = offset
        self.left = length

    def send(self, sock: socket) -> int:
        sent = os.sendfile(sock.fileno(), self._fd, self._offset, min(self.left, _SEND_BYTES))
        if not sent:
            raise ConnectionAbortedError("The file is shorter than its announced length.")
        self._offset += sent
        self.left -= sent
        return sent

    def close(self) -> None:
        os.close(self._fd)


class Output:
    """The response to one request."""

    def __init__(self, sock: socket, *, account: str, memory: Room, room: Room, folder: Path | None) -> None:
        self._sock = sock
        self._account = account
        self._memory = memory
        self._room = room
        self._folder = folder
        self._head: bytes | None = None
        self._parts: deque[_Bytes | _FilePart] = deque()
        self._kept_in_memory = 0
        self._spool: IO[bytes] | None = None
        self._spooled = 0
        self._last_spooled: _FilePart | None = None
        self.sent = 0
        self.is_held = False  # only `drain` sends

    @property
    def begun(self) -> bool:
        return self._head is not None

    @property
    def empty(self) -> bool:
        return not self._parts

    # --- gunicorn's names -------------------------------------------------------------------------------------------

    def sendall(self, data: bytes) -> None:
        if self._head is None:
            self._head = data  # sent with the first bytes of the body: one packet and system call less
            return
        head, self._head = self._head, b""
        if head and len(data) > _SEND_BYTES:
            self._write(head)
            head = b""
        self._write(head + data if head else data)

    def sendfile(self, file: Any, offset: int = 0, count: int = 0) -> int:
        self.flush()
        self._parts.append(_FilePart(os.dup(file.fileno()), offset, count))
        self.drain()
        return count

    # --- ours -------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Send the head if it is still held back."""
        if self._head:
            head, self._head = self._head, b""
            self._write(head)

    def drain(self) -> bool:
        """Send what the client takes now, up to a limit; return whether everything is sent."""
        turn = 0
        while self._parts:
            part = self._parts[0]
            try:
                sent = part.send(self._sock)
            except BlockingIOError:
                return False
            self.sent += sent
            turn += sent
            if not part.left:
                self._parts.popleft().close()
            elif turn >= _TURN_BYTES:
                return False
        return True

    def close(self) -> None:
        for part in self._parts:
            part.close()
        self._parts.clear()
        self._memory.give_back(self._account, self._kept_in_memory)
        self._kept_in_memory = 0
        if self._spool:
            with suppress(OSError):
                self._spool.close()
            self._room.give_back(self._account, self._spooled)
            self._spool = None

    def _write(self, data: bytes) -> None:
        if self.is_held or (self._parts and not self.drain()):
            self._keep(data)
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        self.sent += sent
        if sent < len(data):
            self._keep(data[sent:])

    def _keep(self, data: bytes) -> None:
        fits = self._spool is None and self._kept_in_memory + len(data) <= _MAX_IN_MEMORY
        if fits and self._memory.take(self._account, len(data)):
            self._kept_in_memory += len(data)
            self._parts.append(_Bytes(data))
            return
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - `close` closes it
        if not self._room.take(self._account, len(data)):
            raise ClientTooSlow("There is no room for more of the response.")
        offset = self._spooled
        self._spooled += len(data)
        view = memoryview(data)
        while view:
            view = view[self._spool.write(view) :]
        if self._parts and self._parts[-1] is self._last_spooled:
            self._last_spooled.left += len(data)
        else:
            self._last_spooled = _FilePart(os.dup(self._spool.fileno()), offset, len(data))
            self._parts.append(self._last_spooled)
