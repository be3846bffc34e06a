"""Programs run in a real pseudo-terminal, which answers questions as a terminal does."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from dataclasses import dataclass, field

ATTRIBUTES = b"\x1b[c"


@dataclass
class Terminal:
    """A terminal: its size, what it answers, and what is typed when a text appears."""

    columns: int = 80
    rows: int = 24
    cell: tuple[int, int] = (0, 0)
    # Questions, and what the terminal sends when one of them is written.
    answers: dict[bytes, bytes] = field(default_factory=lambda: {ATTRIBUTES: b"\x1b[?62c"})
    # Prompts, and what is typed or which signal is sent when one appears.
    typed: dict[bytes, bytes | signal.Signals] = field(default_factory=dict)

    def run(self, argv: list[str], environ: dict[str, str], *, within_s: float = 60) -> tuple[int, bytes]:
        """Run a program until it ends; return its exit code and what it wrote."""
        pid, master = pty.fork()
        if pid == 0:
            os.execve(argv[0], argv, environ)  # noqa: S606
        size = struct.pack("HHHH", self.rows, self.columns, self.columns * self.cell[0], self.rows * self.cell[1])
        fcntl.ioctl(master, termios.TIOCSWINSZ, size)
        try:
            output = self._converse(pid, master, time.monotonic() + within_s)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output
        finally:
            os.close(master)

    def _converse(self, pid: int, master: int, deadline: float) -> bytes:
        output = b""
        waiting = {**self.answers, **self.typed}
        while True:
            if not select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
                os.kill(pid, signal.SIGKILL)
                raise TimeoutError(output.decode(errors="replace"))
            chunk = b""
            with contextlib.suppress(OSError):  # EIO: the program has ended
                chunk = os.read(master, 65536)
            if not chunk:
                return output
            output += chunk
            for expected in [one for one in waiting if one in output]:
                answer = waiting.pop(expected)
                if isinstance(answer, signal.Signals):
                    os.kill(pid, answer)
                else:
                    os.write(master, answer)


def python(code: str) -> list[str]:
    """Return the command line that runs a piece of Python."""
    return [sys.executable, "-c", code]


def environ(**variables: str) -> dict[str, str]:
    """Return an environment with nothing of the one of the tests, except where Python finds modules."""
    path = os.pathsep.join(one for one in sys.path if one)
    return {"PATH": os.defpath, "PYTHONPATH": path, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **variables}
