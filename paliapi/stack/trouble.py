"""What can keep the stack from running, each said in one sentence to the person who started it."""

import errno
from pathlib import Path

_MEANING = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "Your disk quota is used up",
    errno.EACCES: "There is no permission to use",
    errno.EPERM: "There is no permission to use",
    errno.EROFS: "The disk can only be read",
}


class Trouble(Exception):
    """The text is the sentence that is shown; there is nothing more to know."""


def in_words(problem: OSError, *, place: Path) -> Trouble:
    """The sentence for an error of the operating system that came up while working in `place`."""
    where = problem.filename or place
    meaning = _MEANING.get(problem.errno or 0)
    return Trouble(f"{meaning}: {where}." if meaning else f"{problem.strerror or problem}: {where}.")
