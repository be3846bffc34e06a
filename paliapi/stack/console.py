"""What the person in front of the terminal sees."""

import json
import re
import sys
import time

# Lines of children that are worth a look: structured logs, Python's words for levels, Postgres's.
_WORTH_SEEING = re.compile(
    r'"level": ?"(?:warning|error|critical)"|\b(?:WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b'
)


# Redis says so at every start, on most machines.
_KNOWN = "Memory overcommit must be enabled"


class Console:
    """Prints lines with the time since the start. A terminal that went away is no reason to stop."""

    def __init__(self, *, everything: bool = False) -> None:
        self._everything = everything
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """One line of progress."""
        self._print(f"[{self.elapsed_s:5.1f} s] {text}")

    def show(self, text: str) -> None:
        """Text as it is."""
        self._print(text)

    def pass_on(self, name: str, line: str) -> None:
        """A line of a child, if it matters."""
        if self._everything:
            self._print(f"{name:>10} | {line}")
        elif _WORTH_SEEING.search(line) and _KNOWN not in line:
            self._print(f"{name:>10} | {_in_short(line)}")

    def _print(self, text: str) -> None:
        try:
            print(text, flush=True)  # noqa: T201 - this is the one that prints
        except OSError:
            sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the rest of our life


def _in_short(line: str) -> str:
    """A structured line as people read it: the level, the event, what belongs to it, the last line of a traceback."""
    try:
        said = json.loads(line)
    except ValueError:
        return line
    if not isinstance(said, dict):
        return line
    exception = str(said.pop("exception", "")).strip().rpartition("\n")[2]
    words = [str(said.pop("level", "")), str(said.pop("event", ""))]
    for name in ("timestamp", "logger"):
        said.pop(name, None)
    words += [f"{name}={value}" for name, value in said.items()]
    return " ".join(word for word in (*words, exception) if word)
