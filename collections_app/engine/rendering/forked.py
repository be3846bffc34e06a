"""Start processes that render, through a fork server that belongs to this process.

The server starts with the first file and ends with its owner. When a process crashes, the next file gets a new server,
because all processes of one have the same memory layout, which a crash may have revealed to its author.
"""

import atexit
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from collections_app.engine.rendering.errors import RenderUnavailable
from collections_app.engine.rendering.protocol import Job

STATUS = struct.Struct("=i")  # an exit status, as `subprocess` reports it
_ROOT = Path(__file__).resolve().parents[3]
_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 5.0
_ENDED_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGXCPU)


class ForkedProcess:
    """A process that renders one file."""

    def __init__(self, job: Job, file: IO[bytes]) -> None:
        self.output, out = os.pipe()
        self._control, control = socket.socketpair()
        self._control.settimeout(_END_TIMEOUT_S)
        self._status: int | None = None
        try:
            self._server = _start(job, (file.fileno(), out, control.fileno()))
        except BaseException as error:
            os.close(self.output)
            self._control.close()
            if isinstance(error, OSError):
                raise RenderUnavailable from error
            raise
        finally:
            os.close(out)
            control.close()

    def kill(self) -> None:
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def exit_status(self) -> int | None:
        """Wait briefly for the process to end and return its status; None if that is unknown."""
        if self._status is None:
            with suppress(OSError, struct.error):
                self._status = int(STATUS.unpack(self._control.recv(STATUS.size, socket.MSG_WAITALL))[0])
        return self._status

    def close(self) -> None:
        self.kill()
        os.close(self.output)
        status = self.exit_status()
        self._control.close()
        if status is not None and status < 0 and status not in _ENDED_FROM_OUTSIDE:
            _retire(self._server)


class _Server:
    """The fork server, as its owner sees it."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair()
        self._requests.settimeout(_START_TIMEOUT_S)
        with theirs, ExitStack() as on_failure:
            on_failure.callback(self._requests.close)
            self.process = subprocess.Popen(
                [sys.executable, "-B", "-m", "collections_app.engine.rendering.fork_server", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env={"LANG": "C.UTF-8", "PATH": os.defpath},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            on_failure.pop_all()

    def start(self, job: Job, descriptors: tuple[int, int, int]) -> None:
        """Have a process started; raise OSError if the server is gone."""
        socket.send_fds(self._requests, [job.to_json().encode() + b"\n"], descriptors)
        if not self._requests.recv(1):
            raise ConnectionResetError

    def leave(self) -> None:
        """Ask for no more; the server ends when its last process does."""
        self._requests.close()


_lock = threading.Lock()
_current: _Server | None = None
_retired: list[_Server] = []


def _start(job: Job, descriptors: tuple[int, int, int]) -> _Server:
    global _current  # noqa: PLW0603 - one for the whole process
    with _lock:
        _retired[:] = [server for server in _retired if server.process.poll() is None]
        if _current is not None:
            with suppress(OSError):
                _current.start(job, descriptors)
                return _current
            _leave(_current)
        server = _Server()
        try:
            server.start(job, descriptors)
        except OSError:
            server.leave()
            _retired.append(server)
            raise
        _current = server
        return server


def _retire(server: _Server) -> None:
    with _lock:
        if server is _current:
            _leave(server)


def _leave(server: _Server) -> None:
    global _current  # noqa: PLW0603
    server.leave()
    _retired.append(server)
    _current = None


def _forget() -> None:
    """Do without the servers of the process that this one was forked from, or before this process exits."""
    global _current, _lock  # noqa: PLW0603
    _lock = threading.Lock()
    for server in (*_retired, *([_current] if _current else [])):
        server.leave()
        server.process.returncode = 0  # another process waits for it
    _current = None
    _retired.clear()


os.register_at_fork(after_in_child=_forget)
atexit.register(_forget)
