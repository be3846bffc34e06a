"""A newcomer's start: `git clone`, `make run`, and a search, in a folder that is deleted afterwards."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.harness.stack import Stack
from paliapi.configuration.sources import process_environ
from paliapi.configuration.values import parse_file
from paliapi.env import ROOT
from paliapi.stack.home import Home
from paliapi.stack.listen import free_port

_READY_WITHIN_S = 900.0
# Variables with which tools find their caches and the package index.
_PASSED = ("PATH", "HOME", "LANG", "TMPDIR")
_PASSED_PREFIXES = ("UV_", "PIP_", "SSL_", "XDG_")
_NOT_PASSED = ("UV_PROJECT_ENVIRONMENT",)  # the clone has its own


@contextmanager
def running_clone(folder: Path, settings: Mapping[str, str]) -> Iterator[Stack]:
    """Run a clone of the last commit with its default settings, and stop it after the block."""
    checkout, output = folder / "paliapi", folder / "output"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout)], check=True)  # noqa: S607
    with _make_run(checkout, output, settings) as stack:
        yield stack


@contextmanager
def running_checkout(folder: Path, settings: Mapping[str, str]) -> Iterator[Stack]:
    """Run this checkout without `make`, which would install packages, and stop it after the block."""
    command = [str(ROOT / ".venv" / "bin" / "python"), "manage.py", "up"]
    with _running(command, ROOT, folder / "output", settings) as stack:
        yield stack


@contextmanager
def _make_run(checkout: Path, output: Path, settings: Mapping[str, str]) -> Iterator[Stack]:
    with _running(["make", "run"], checkout, output, settings) as stack:
        yield stack


@contextmanager
def _running(command: list[str], checkout: Path, output: Path, settings: Mapping[str, str]) -> Iterator[Stack]:
    port, home = free_port(), Home(output.parent / "home")
    environ = {
        name: value
        for name, value in process_environ().items()
        if (name in _PASSED or name.startswith(_PASSED_PREFIXES)) and name not in _NOT_PASSED
    }
    environ |= {"PALIAPI_PORT": str(port), "PALIAPI_HOME": str(home.path), "ADMIN": "off", **settings}
    with output.open("wb") as words:
        process = subprocess.Popen(command, cwd=checkout, env=environ, stdout=words, stderr=words)
    try:
        until = time.monotonic() + _READY_WITHIN_S
        while "Ctrl-C stops everything." not in output.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"The stack did not start:\n{output.read_text(errors='replace')}")
            time.sleep(0.05)  # polling, within the deadline above
        key = parse_file(home.first_login.read_text(encoding="utf-8"))["API_KEY"]
        yield Stack(home, _leader(process.pid), f"http://127.0.0.1:{port}", key)
    finally:
        _stop(process)


def _leader(pid: int) -> int:
    """Return the process of the stack: this one, or the child of `make`."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return next(one for one in (pid, *map(int, children)) if b"manage.py" in Path(f"/proc/{one}/cmdline").read_bytes())


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop the stack itself: `make` would not wait for it."""
    with suppress(OSError, StopIteration):
        os.kill(_leader(process.pid), signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
