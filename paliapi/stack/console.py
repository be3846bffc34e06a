"""Output for the person at the terminal."""

import json
import re
import sys
import time
from typing import Any

# Lines of children that are worth showing: warnings and errors of structured logs, Python and Postgres.
_NOTABLE = re.compile(r'"level": ?"(?:warning|error|critical)"|\b(?:WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b')


# The event with which workers report how much is left to process.
_PROGRESS = re.compile(r'"event": ?"progress"')
_PROGRESS_EVERY_S = 9.0

# Redis prints this at every start on most machines.
_IGNORED = "Memory overcommit must be enabled"


class Console:
    """Prints lines with the time since the start, and continues silently if the terminal has closed."""

    def __init__(self, *, everything: bool = False) -> None:
        self._everything = everything
        self._started_at = time.monotonic()
        self._progress_at = float("-inf")  # when progress was last shown
        self._documents_left = 0

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
        elif _PROGRESS.search(line):
            self._show_progress(_fields(line))
        elif _NOTABLE.search(line) and _IGNORED not in line:
            self._print(f"{name:>10} | {_summarize(line)}")

    def _show_progress(self, fields: dict[str, Any]) -> None:
        """Print how much is left to process, as reported by the first of several workers, and once that it is done."""
        left, previously = int(fields.get("documents_left", 0)), self._documents_left
        if not left:
            self._documents_left = 0
            if previously:
                self.say("All documents are processed.")
        elif self.elapsed_s > self._progress_at + _PROGRESS_EVERY_S:
            self._documents_left, self._progress_at = left, self.elapsed_s
            self.say(_describe_progress(fields))

    def _print(self, text: str) -> None:
        try:
            print(text, flush=True)  # noqa: T201 - the only place that prints
        except OSError:
            sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123 - stays open until the process ends


def _fields(line: str) -> dict[str, Any]:
    """Return the fields of a structured line; none if it is not structured."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _describe_progress(fields: dict[str, Any]) -> str:
    documents, pages = fields.get("documents_left", 0), fields.get("pages_left", 0)
    text = f"{documents:,} documents left to process, {pages:,} pages"
    if fields.get("pages_per_s"):
        text += f"; {fields['pages_per_s']:g} pages per second"
    if fields.get("seconds_left"):
        minutes, seconds = divmod(round(fields["seconds_left"]), 60)
        text += f", about {f'{minutes} min' if minutes else f'{seconds} s'}"
    return f"{text}."


def _summarize(line: str) -> str:
    """Shorten a structured line for people: level, event, other fields, and the last line of a traceback."""
    fields = _fields(line)
    if not fields:
        return line
    exception = str(fields.pop("exception", "")).strip().rpartition("\n")[2]
    parts = [str(fields.pop("level", "")), str(fields.pop("event", ""))]
    for name in ("timestamp", "logger"):
        fields.pop(name, None)
    parts += [f"{name}={value}" for name, value in fields.items()]
    return " ".join(part for part in (*parts, exception) if part)
