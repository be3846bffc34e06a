"""Files that may be uploaded by path: those below the folders named at the start, and no others."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from paliapi_mcp.failures import Refused

MAX_FILE_BYTES = 1_000_000_000


def open_below(folders: tuple[Path, ...], path: str) -> BinaryIO:
    """Open a regular file, after all links are followed, if it is in one of the folders."""
    allowed = ", ".join(map(str, folders))
    refusal = Refused(f"There is no file with this path below the folders that are allowed: {allowed}.")
    if not os.path.isabs(path):  # noqa: PTH117 - a Path would drop what makes it invalid
        raise Refused(f"The path must be absolute, below one of: {allowed}.")
    try:
        real = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise refusal from None
    if not any(real.is_relative_to(folder) for folder in folders):
        raise refusal
    try:
        # Not blocking, so that opening a pipe does not wait for its other end.
        descriptor = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        raise refusal from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
        os.close(descriptor)
        raise refusal
    return os.fdopen(descriptor, "rb")
