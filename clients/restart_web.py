"""Restart the web server of a running PaliAPI, and wait until it answers again.

    python -m clients.restart_web HOME URL

The server is ended as a deployment ends it; what supervises it starts another.
"""

import os
import signal
import sys
import time
from pathlib import Path

import httpx

from benchmarks.harness.stack import Stack
from paliapi.stack.home import Home

WITHIN_S = 60.0


def main(home: Path, url: str) -> None:
    stack = Stack(Home(home), os.getpid(), url, "")
    old = stack.pid_of("web")
    os.kill(old, signal.SIGTERM)
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if stack.pid_of("web") not in {0, old} and _answers(url):
            return
        time.sleep(0.05)  # polls until the deadline above
    raise SystemExit("The web server did not start again.")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez").is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
