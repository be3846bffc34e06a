"""A complete, temporary PaliAPI: `manage.py up` over a temporary folder, with its real processes."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from paliapi import env
from paliapi.configuration.values import parse_file
from paliapi.roles import DATABASE_LOGINS
from paliapi.stack import leftovers, processes
from paliapi.stack.home import Home
from paliapi.stack.listen import free_port
from paliapi.stack.postgres import DATABASE, Postgres

_READY_WITHIN_S = 240.0
_NOTHING_OF_OURS = dict.fromkeys((*DATABASE_LOGINS, "REDIS_URL", "EMBEDDINGS_URL", "SECRET_KEY"), "")
# The pipeline is measured, not the rate limits of a key.
_WITHOUT_LIMITS = {
    "RATE_PER_MINUTE": "1000000",
    "RATE_BURST": "1000000",
    "MAX_CONCURRENT_UPLOADS": "1000",
    "MAX_CONCURRENT_SEARCHES": "1000",
}


@dataclass(frozen=True)
class Stack:
    """A running stack, and access to its parts."""

    home: Home
    pid: int
    url: str
    key: str

    def client(self, *, timeout_s: float = 60.0) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)

    def pid_of(self, name: str) -> int:
        """Return the process of a member such as `worker`, or 0 while it is down."""
        records = [record for path in self.home.children_lists() for record in leftovers.read(path)]
        return next((one.pid for one in records if one.name == name and processes.alive(one.pid)), 0)

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Open a connection that sees every row."""
        return Postgres(self.home).connect(DATABASE)


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Stack]:
    """Start a stack, wait until it is ready, and stop it after the block."""
    folder.mkdir(parents=True, exist_ok=True)
    port, output = free_port(), folder / "output"
    environ = {
        "PATH": os.defpath,
        "HOME": str(folder),
        **_NOTHING_OF_OURS,
        **_WITHOUT_LIMITS,
        "PALIAPI_MODE": "development",
        "PALIAPI_HOME": str(folder / "home"),
        "PALIAPI_PORT": str(port),
        "ADMIN": "off",
        "COLPALI_BACKEND": "lexical",
        **settings,
    }
    with output.open("wb") as words:
        argv = [sys.executable, "manage.py", "up"]
        process = subprocess.Popen(argv, cwd=env.ROOT, env=environ, stdout=words, stderr=words)
    try:
        processes.wait_until(
            lambda: "Ctrl-C stops everything." in output.read_text() or process.poll() is not None,
            within_s=_READY_WITHIN_S,
        )
        home = Home(folder / "home")
        if not home.first_login.exists():
            raise SystemExit(f"The stack did not start:\n{output.read_text()}")
        key = parse_file(home.first_login.read_text())["API_KEY"]
        yield Stack(home, process.pid, f"http://127.0.0.1:{port}", key)
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="paliapi-benchmark-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def descendants(pid: int) -> list[int]:
    """Return all descendants of a process."""
    pids: list[int] = []
    try:
        paths = list(Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:  # it ended meanwhile
        return []
    for path in paths:
        try:
            mine = [int(word) for word in path.read_text().split()]
        except OSError:
            continue
        for child in mine:
            pids += [child, *descendants(child)]
    return pids


def is_stopped(pid: int) -> bool:
    """Return whether a process exists and has been stopped by a signal."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def processor_s(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, including ended ones."""
    return sum(own_processor_s(one) for one in (pid, *descendants(pid)))


def own_processor_s(pid: int) -> float:
    """Return the CPU seconds of a process and its ended children."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """Return the peak memory of a process in MB; 0 if it no longer exists."""
    try:
        match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(match[1]) / 1024 if match else 0.0
