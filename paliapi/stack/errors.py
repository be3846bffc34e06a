"""Errors that keep the stack from running, each described in one sentence for the person who started it."""

import errno
from pathlib import Path

_MEANING = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "Your disk quota is used up",
    errno.EACCES: "There is no permission to use",
    errno.EPERM: "There is no permission to use",
    errno.EROFS: "The disk is read-only",
}


class StackError(Exception):
    """The message is shown as it is, without a traceback."""


def describe(problem: OSError, *, path: Path) -> StackError:
    """Describe an error of the operating system that occurred while working in `path`."""
    failed = problem.filename or path
    meaning = _MEANING.get(problem.errno or 0)
    return StackError(f"{meaning}: {failed}." if meaning else f"{problem.strerror or problem}: {failed}.")
