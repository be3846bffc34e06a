"""Named places in the code where tests inject a fault. They do nothing while `PALIAPI_FAILPOINT` is empty.

`pages_stored:2=kill` kills the process when it reaches that place for the second time; `=stop` stops the process there
until it receives SIGCONT; `=raise` raises an exception that nothing catches, which ends the worker but not the test.
A value that begins with a slash is the path of a file with such a line, so that the fault can be changed while
processes run. A `#` and any text after it make a line differ from an earlier one; counting then starts again.
"""

import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Lock

from django.conf import settings

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_times_reached: Counter[str] = Counter()
_counting = Lock()


class Fault(BaseException):
    """Raised at a failpoint. It is not an Exception, so that no error handling catches it."""


def reach(name: str) -> None:
    """Cause the configured fault if this is its place."""
    setting = _setting()
    place, _, action = setting.partition("=")
    place, _, count = place.partition(":")
    action = action.partition("#")[0]
    if place != name:
        return
    with _counting:
        _times_reached[setting] += 1
        times = _times_reached[setting]
    if times != int(count or 1):
        return
    if action not in _SIGNALS:
        raise Fault(setting)
    os.kill(os.getpid(), _SIGNALS[action])


def reset() -> None:
    """Start counting again."""
    _times_reached.clear()


def _setting() -> str:
    setting: str = settings.ENV.failpoint
    if setting.startswith("/"):
        with suppress(FileNotFoundError):
            return Path(setting).read_text(encoding="utf-8").strip()
        return ""
    return setting
