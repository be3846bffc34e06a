"""Named places where tests make a fault happen. Nothing happens where `PALIAPI_FAILPOINT` is empty.

`pages_stored:2=kill` kills the process when it reaches that place for the second time; `=stop` stops it there until it
is told to continue; `=raise` raises what nobody catches, so that the worker ends there and then, but the tests go on.
A path, which begins with a slash, names a file with such a line: it can be changed while processes run, and what
follows a `#` in it makes it another fault, counted from the beginning.
"""

import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

from django.conf import settings

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_reached: Counter[str] = Counter()


class Fault(BaseException):
    """Raised at a failpoint. Not an Exception: no code that mends errors may mend it."""


def reach(name: str) -> None:
    wanted = _wanted()
    place, _, action = wanted.partition("=")
    place, _, count = place.partition(":")
    action = action.partition("#")[0]
    if place != name:
        return
    _reached[wanted] += 1
    if _reached[wanted] != int(count or 1):
        return
    if action not in _SIGNALS:
        raise Fault(wanted)
    os.kill(os.getpid(), _SIGNALS[action])


def forget() -> None:
    """Count from the beginning."""
    _reached.clear()


def _wanted() -> str:
    wanted: str = settings.ENV.failpoint
    if wanted.startswith("/"):
        with suppress(FileNotFoundError):
            return Path(wanted).read_text(encoding="utf-8").strip()
        return ""
    return wanted
