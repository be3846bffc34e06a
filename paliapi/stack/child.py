"""A child process of the stack: starting it, logging its output and stopping it."""

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from paliapi.stack import processes
from paliapi.stack.errors import describe
from paliapi.stack.logs import log_tail, most_relevant_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. The child gets exactly `environ` and inherits nothing."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    cwd: Path
    stop_signal: int = signal.SIGTERM
    spawn_options: Mapping[str, Any] = field(default_factory=dict)


class Child:
    """A running command. It leads its own process group, so that Ctrl-C reaches only the stack."""

    def __init__(self, command: Command, *, log: Path, output: IO[bytes] | None = None) -> None:
        """Start the command, with its standard output in `output`, if given, and all else at the end of `log`."""
        self.command = command
        self._log = log
        try:
            with log.open("ab") as log_file:
                self._log_start = log_file.tell()
                self._process = subprocess.Popen(
                    command.argv,
                    env=dict(command.environ),
                    cwd=command.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output or log_file,
                    stderr=log_file,
                    start_new_session=True,
                    **command.spawn_options,
                )
        except OSError as problem:
            raise describe(problem, path=log) from problem
        self.started = processes.started_at(self.pid) or 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def name(self) -> str:
        return self.command.name

    def exit_code(self) -> int | None:
        """Return None while it runs. After its end, kill the rest of its group."""
        code = self._process.poll()
        if code is not None:
            processes.signal_group(self.pid, signal.SIGKILL)
        return code

    def reason(self) -> str:
        """Return the log line that best explains its failure, and the path of the log."""
        return f"{most_relevant_line(log_tail(self._log, since=self._log_start))} (see {self._log})"

    def request_stop(self) -> None:
        """Send the signal after which it finishes its work and ends."""
        if self._process.poll() is None:
            processes.signal_one(self.pid, self.command.stop_signal)

    def kill(self) -> None:
        """Kill it and its whole group."""
        processes.signal_group(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, *, within_s: float) -> bool:
        """Stop it, by force if it takes too long; return False if force was needed."""
        self.request_stop()
        graceful = processes.wait_until(lambda: self._process.poll() is not None, within_s=within_s)
        self.kill()
        return graceful
