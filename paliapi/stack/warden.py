"""A small process that outlives the stack's: when the stack is killed outright, it ends the children.

It waits for the end of its input, which the operating system brings about however the stack dies.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from paliapi.stack import leftovers, processes


class Warden:
    """The handle the stack holds. `dismiss` after the children are gone; if it never comes, they are ended."""

    def __init__(self, children: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "paliapi.stack.warden", str(children)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Let it go; it finds no children left."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


def _watch(children: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 4096):
        pass
    known = leftovers.read(children)
    leftovers.end_all(children)
    # Their own children first had the chance to see the leader go.
    for record in known:
        if not processes.alive(record.pid):
            processes.signal_group(record.pid, signal.SIGKILL)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
