"""Named places where tests make a fault happen. Nothing happens where `PALIAPI_FAILPOINT` is empty.

`pages_stored:2=kill` kills the process when it reaches that place for the second time; `=raise` raises what nobody
catches, so that the worker stops there and then, but the tests go on.
"""

import os
import signal
from collections import Counter

from django.conf import settings

_reached: Counter[str] = Counter()


class Fault(BaseException):
    """Raised at a failpoint. Not an Exception: no code that mends errors may mend it."""


def reach(name: str) -> None:
    wanted: str = settings.ENV.failpoint
    if not wanted:
        return
    place, _, action = wanted.partition("=")
    place, _, count = place.partition(":")
    if place != name:
        return
    _reached[wanted] += 1
    if _reached[wanted] == int(count or 1):
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise Fault(wanted)


def forget() -> None:
    """Count from the beginning."""
    _reached.clear()
