"""The children's log files: followed line by line, and kept from growing without end."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 20_000_000
_LONGEST_READ = 1_000_000


class Log:
    """One file. Children append to it by themselves, so they never wait for us to read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch(mode=0o600)
        self._seen = self.path.stat().st_size
        self._rest = b""

    def new_lines(self) -> Iterator[str]:
        """The whole lines that were added since the last call."""
        size = self.path.stat().st_size
        if size < self._seen:
            self._seen = 0
        if size == self._seen:
            return
        with self.path.open("rb") as file:
            file.seek(self._seen)
            added = file.read(_LONGEST_READ)
        self._seen += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        self._rest = self._rest[-_LONGEST_READ:]
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")

    def shorten(self) -> None:
        """Move the words into `NAME.1` when there are many; the file stays the same one for its writers."""
        if self.path.stat().st_size < MOST_BYTES:
            return
        # On a full disk there is no room for the copy, and the words are what fills it.
        with suppress(OSError):
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
        os.truncate(self.path, 0)
        self._seen = 0


def last_words(path: Path, *, since: int = 0, most_bytes: int = 4000) -> str:
    """The end of a log, as far as it was written after the byte `since`."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            # It may have been shortened in between.
            file.seek(max(since if since <= size else 0, size - most_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def telling_line(text: str) -> str:
    """The line that most likely says what went wrong: the last that speaks of an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (telling or lines or ["it said nothing"])[-1]
