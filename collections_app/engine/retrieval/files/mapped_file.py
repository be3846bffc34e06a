"""A file whose contents are mapped into memory, and whether it is still the one that was checked."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MappedFile:
    """A file that was complete and correct when it was mapped.

    Reading pages behind the end of a truncated file kills the process, so a search checks this first. Our own programs
    never change a file; they delete it, which does no harm to those who have mapped it.
    """

    path: Path
    fingerprint: tuple[int, int, int, int]

    def is_unchanged(self) -> bool:
        """Return whether the path still is this file, with the same size and modification time."""
        try:
            return fingerprint(self.path.lstat()) == self.fingerprint
        except OSError:
            return False


def fingerprint(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
