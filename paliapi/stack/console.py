"""Output for the person at the terminal."""

import json
import re
import sys
import time

# Lines of children that are worth showing: warnings and errors of structured logs, Python and Postgres.
_NOTABLE = re.compile(r'"level": ?"(?:warning|error|critical)"|\b(?:WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b')


# Redis prints this at every start on most machines.
_IGNORED = "Memory overcommit must be enabled"


class Console:
    """Prints lines with the time since the start, and continues silently if the terminal has closed."""

    def __init__(self, *, everything: bool = False) -> None:
        self._everything = everything
        self._started_at = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started_at

    @property
    def is_terminal(self) -> bool:
        """Whether only the person who started this sees the output."""
        return sys.stdout.isatty()

    def say(self, text: str) -> None:
        """Print a line of progress."""
        self._print(f"[{self.elapsed_s:5.1f} s] {text}")

    def show(self, text: str) -> None:
        """Print text unchanged."""
        self._print(text)

    def show_line(self, name: str, line: str) -> None:
        """Print a child's log line, if it is notable."""
        if self._everything:
            self._print(f"{name:>10} | {line}")
        elif _NOTABLE.search(line) and _IGNORED not in line:
            self._print(f"{name:>10} | {_summarize(line)}")

    def _print(self, text: str) -> None:
        try:
            print(text, flush=True)  # noqa: T201 - the only place that prints
        except OSError:
            sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123 - stays open until the process ends


def _summarize(line: str) -> str:
    """Shorten a structured line for people: level, event, other fields, and the last line of a traceback."""
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict):
        return line
    exception = str(fields.pop("exception", "")).strip().rpartition("\n")[2]
    parts = [str(fields.pop("level", "")), str(fields.pop("event", ""))]
    for name in ("timestamp", "logger"):
        fields.pop(name, None)
    parts += [f"{name}={value}" for name, value in fields.items()]
    return " ".join(part for part in (*parts, exception) if part)
