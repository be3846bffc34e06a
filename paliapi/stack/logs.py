"""The children's log files: following them line by line, and limiting their size."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 20_000_000
_MAX_READ = 1_000_000


class Log:
    """A log file. Children append to it themselves, so they never wait for its reader."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch(mode=0o600)
        self._offset = self.path.stat().st_size
        self._partial_line = b""

    def new_lines(self) -> Iterator[str]:
        """Yield the complete lines added since the last call."""
        size = self.path.stat().st_size
        if size < self._offset:
            self._offset = 0
        if size == self._offset:
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            added = file.read(_MAX_READ)
        self._offset += len(added)
        *lines, self._partial_line = (self._partial_line + added).split(b"\n")
        self._partial_line = self._partial_line[-_MAX_READ:]
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")

    def rotate(self) -> None:
        """Move the content to `NAME.log.1` if the file is large; the file itself stays open for its writers."""
        if self.path.stat().st_size < MAX_BYTES:
            return
        # On a full disk, copying fails; truncate anyway, because the log may be what fills it.
        with suppress(OSError):
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
        os.truncate(self.path, 0)
        self._offset = 0


def log_tail(path: Path, *, since: int = 0, max_bytes: int = 4000) -> str:
    """Return the end of a log, from the byte `since` at the earliest."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            # It may have been rotated in between.
            file.seek(max(since if since <= size else 0, size - max_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def most_relevant_line(text: str) -> str:
    """Return the line that most likely explains a failure: the last one about an error, else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (errors or lines or ["it printed nothing"])[-1]
