"""Measuring how long requests wait for a thread, and refusing those that waited too long."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client

from paliapi.env import ROOT
from paliapi.web_server.worker import WAITED_S
from tests.environment import measured

_READY_WITHIN_S = 30
_TRIES = 10


@dataclass(frozen=True)
class Web:
    """gunicorn with one thread, which `/NAME` occupies until that file is removed."""

    address: tuple[str, int]
    folder: Path

    def get(self, path: str) -> float:
        with socket.create_connection(self.address, timeout=_READY_WITHIN_S) as line:
            line.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = b"".join(iter(lambda: line.recv(4096), b"")).decode()
        return float(answer.rpartition("\r\n\r\n")[2])


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        words = ("-m", "gunicorn", "--worker-class", "paliapi.web_server.worker.BufferingWorker", "--threads", "1")
        command = [
            sys.executable,
            *words,
            "--graceful-timeout",
            "1",
            "--bind",
            f"fd://{door.fileno()}",
            "tests.paliapi.web_server.waiting_app",
        ]
        environment = {"PATH": os.defpath, "FOLDER": str(tmp_path), "HOME": str(tmp_path), **measured()}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, pass_fds=(door.fileno(),), stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield Web(door.getsockname(), tmp_path)
            finally:
                process.terminate()


def test_waiting_time_for_a_thread_is_measured(web: Web) -> None:
    # On a busy machine, the second request may arrive after the first has ended; then try again.
    assert any(_waited_behind(web, f"file-{number}") > 0.1 for number in range(_TRIES))


def _waited_behind(web: Web, name: str) -> float:
    """Return the waiting time of a request sent while another one occupied the only thread."""
    web.get("/")
    with ThreadPoolExecutor(2) as clients:
        clients.submit(web.get, f"/{name}")
        while not (held := web.folder / name).exists():
            time.sleep(0.01)  # between two looks; the request itself has a deadline
        behind = clients.submit(web.get, "/")
        threading.Timer(0.5, held.unlink).start()
        return behind.result()


@pytest.mark.parametrize("path", ["/v1/collections/", "/v1/docs", "/nowhere"])
def test_request_that_waited_too_long_gets_503(path: str) -> None:
    answer = Client().get(path, **{WAITED_S: 1000.0})  # type: ignore[arg-type]
    assert answer.status_code == 503
    assert answer.json()["code"] == "overloaded"
    assert int(answer["Retry-After"]) >= 1
    assert answer["X-Request-ID"]


def test_request_that_waited_briefly_is_handled() -> None:
    assert Client().get("/v1/health/", **{WAITED_S: 0.5}).status_code == 200  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/livez", "/v1/health/"])
def test_health_check_is_never_refused(path: str) -> None:
    assert Client().get(path, **{WAITED_S: 1000.0}).status_code == 200  # type: ignore[arg-type]


_ALLOCATE = """
import ctypes, sys, threading
from paliapi.web_server.worker import limit_heaps

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
if sys.argv[1] == "share":
    limit_heaps()
together = threading.Barrier(8)

def allocate():
    together.wait()
    for _ in range(1000):
        libc.malloc(1000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w")))
libc.fflush(None)
"""


def test_threads_share_heaps() -> None:
    def heaps(how: str) -> int:
        command = [sys.executable, "-c", _ALLOCATE, how]
        done = subprocess.run(command, cwd=ROOT, env={"PATH": os.defpath}, stdout=subprocess.PIPE, check=True)
        return done.stdout.count(b"<heap nr=")

    assert heaps("share") <= 2 < heaps("leave")
