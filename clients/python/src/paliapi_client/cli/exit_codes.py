"""Exit codes of `pali`. They are part of its interface: scripts rely on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0
    # The command ran, but a file, a document or a run failed.
    PART_FAILED = 1
    USAGE = 2
    # No key, or the key is rejected or lacks a permission.
    NOT_PERMITTED = 3
    NOT_FOUND = 4
    # A rate limit or quota is reached.
    LIMIT_REACHED = 5
    # The server cannot be reached, is unavailable or takes too long.
    UNAVAILABLE = 6
    # The server rejects the request: it is invalid, or conflicts with the current state.
    REJECTED = 7
    INTERRUPTED = 130
