"""A watchdog process that ends the children if the stack is killed.

It waits for the end of its standard input, which the operating system closes however the stack ends.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from paliapi.configuration.sources import process_environ
from paliapi.stack import environment, leftovers, processes


class Watchdog:
    """The stack's handle of the watchdog. Call `dismiss` after the children have ended."""

    def __init__(self, children: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "paliapi.stack.watchdog", str(children)],
            env=environment.of_system(process_environ()),
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """End the watchdog, which finds no children left."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


def _watch(children: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 4096):
        pass
    records = leftovers.read(children)
    leftovers.end_processes(children)
    # Their own children have had time to notice that the leader ended.
    for record in records:
        if not processes.alive(record.pid):
            processes.signal_group(record.pid, signal.SIGKILL)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
