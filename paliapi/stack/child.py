"""One process of the stack: how it is started, where its words go, how it is stopped."""

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from paliapi.stack import processes
from paliapi.stack.logs import last_words, telling_line
from paliapi.stack.trouble import in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. An empty `environ` is an empty environment: nothing is inherited by accident."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    cwd: Path
    stop_signal: int = signal.SIGTERM
    spawn_options: Mapping[str, Any] = field(default_factory=dict)


class Child:
    """A started command. It leads a process group of its own, so that Ctrl-C reaches us alone."""

    def __init__(self, command: Command, *, log: Path, answer: IO[bytes] | None = None) -> None:
        """What it prints goes to `answer`, if there is one; all else to the end of `log`."""
        self.command = command
        self._log = log
        try:
            with log.open("ab") as words:
                self._log_began = words.tell()
                self._process = subprocess.Popen(
                    command.argv,
                    env=dict(command.environ),
                    cwd=command.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=answer or words,
                    stderr=words,
                    start_new_session=True,
                    **command.spawn_options,
                )
        except OSError as problem:
            raise in_words(problem, place=log) from problem
        self.started = processes.started_at(self.pid) or 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def name(self) -> str:
        return self.command.name

    def exit_code(self) -> int | None:
        """None while it runs. What it leaves of its group when it ends is killed."""
        code = self._process.poll()
        if code is not None:
            processes.signal_group(self.pid, signal.SIGKILL)
        return code

    def reason(self) -> str:
        """Its own words for why it failed, and where there are more of them."""
        return f"{telling_line(last_words(self._log, since=self._log_began))} (see {self._log})"

    def ask_to_stop(self) -> None:
        """Send the signal after which it finishes what it is doing and ends."""
        if self._process.poll() is None:
            processes.signal_one(self.pid, self.command.stop_signal)

    def kill(self) -> None:
        """End it and its whole group now."""
        processes.signal_group(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, *, within_s: float) -> bool:
        """Stop it, by force if it takes too long; False if force was needed."""
        self.ask_to_stop()
        gentle = processes.wait_until(lambda: self._process.poll() is not None, within_s=within_s)
        self.kill()
        return gentle
