"""The process that forks a process for each file: `python -m collections_app.engine.rendering.fork_server DESCRIPTOR`.

It has imported everything that renders, which takes much longer than rendering a page, and opens no file itself. For
each request, it forks a process that inherits nothing but its file and the pipe for its pages, confines itself and
renders.

A request is a line of JSON with three descriptors: the file, the pipe, and one end of a socket. The answer is a byte.
When the other end of that socket is shut down, or its owner has died, the process is killed; its exit status follows
there.
"""

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import NoReturn

from collections_app.engine.rendering import child, confinement
from collections_app.engine.rendering.forked import STATUS
from collections_app.engine.rendering.protocol import Job
from sandbox import privileges

_DESCRIPTORS = 3
_MAX_REQUEST = 64 * 1024


class ForkServer:
    """The running processes, by the descriptor of their socket."""

    def __init__(self, requests: socket.socket, *, network_left: bool) -> None:
        self._requests = requests
        self._network_left = network_left
        # The signal that a process has ended becomes a byte, which wakes the loop.
        self._ended, self._wake = socket.socketpair()
        for end in (self._ended, self._wake):
            end.settimeout(0)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._running: dict[int, tuple[int, socket.socket]] = {}
        self._poll = select.poll()
        for open_ in (requests, self._ended):
            self._poll.register(open_, select.POLLIN)

    def serve(self) -> None:
        """Answer requests until their sender is gone and all processes have ended."""
        is_open = True
        while is_open or self._running:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._requests.fileno():
                    is_open = self._answer()
                elif descriptor == self._ended.fileno():
                    self._reap()
                else:
                    self._kill(descriptor)

    def _answer(self) -> bool:
        """Start a process, and return whether further requests may follow."""
        message, descriptors, _, _ = socket.recv_fds(self._requests, _MAX_REQUEST, _DESCRIPTORS)
        if not message:
            self._poll.unregister(self._requests)
            return False
        while not message.endswith(b"\n"):
            message += self._requests.recv(_MAX_REQUEST)
        file, out, control = descriptors
        pid = _fork(message, file, out, network_left=self._network_left)
        os.close(file)
        os.close(out)
        if pid is None:
            os.close(control)  # without a status, the owner tries again later
        else:
            self._running[control] = pid, socket.socket(fileno=control)
            self._poll.register(control, select.POLLIN)
        self._requests.sendall(b"\n")
        return True

    def _kill(self, control: int) -> None:
        """Kill a process whose pages are no longer needed."""
        with suppress(KeyError):
            pid, _ = self._running[control]
            self._poll.unregister(control)
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Report the exit status of each process that ended."""
        with suppress(BlockingIOError):
            self._ended.recv(4096)
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._report(*ended)

    def _report(self, pid: int, status: int) -> None:
        for descriptor, (running, control) in list(self._running.items()):
            if running == pid:
                del self._running[descriptor]
                with suppress(KeyError):
                    self._poll.unregister(descriptor)
                with control, suppress(OSError):
                    control.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _fork(message: bytes, file: int, out: int, *, network_left: bool) -> int | None:
    """Start a process that renders, and return its id; None if the machine has no room for it."""
    server = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        return None
    if pid == 0:
        _become_child(message, file, out, server=server, network_left=network_left)
    return pid


def _become_child(message: bytes, file: int, out: int, *, server: int, network_left: bool) -> NoReturn:
    """Render, with two descriptors; whatever happens, never return to the loop of the server."""
    try:
        privileges.end_with_parent(server)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(file, 0)
        os.dup2(out, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        child.main(Job.from_json(message.decode()), sys.stdout.buffer, network_left=network_left)
        # Skip the exit handlers of libraries, which a file may have left in any state.
        os._exit(0)
    finally:
        os._exit(1)


def main() -> None:
    child.import_everything()
    network_left = confinement.prepare()
    gc.freeze()  # collected objects would be copied into each process
    ForkServer(socket.socket(fileno=int(sys.argv[1])), network_left=network_left).serve()


if __name__ == "__main__":
    main()
