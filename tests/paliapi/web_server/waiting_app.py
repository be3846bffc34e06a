"""A small WSGI application: `/NAME` creates that file in FOLDER and responds once it is removed, `/` at once."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from paliapi.web_server.worker import WAITED_S

_FOLDER = Path(os.environ["FOLDER"])  # noqa: TID251 - a process of its own


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Respond with the time that the request waited for a thread."""
    held = _FOLDER / environ["PATH_INFO"].removeprefix("/")
    if held != _FOLDER:
        held.touch()
    while held != _FOLDER and held.exists():
        time.sleep(0.01)  # between two looks; the test ends the process
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(environ[WAITED_S]).encode()]
