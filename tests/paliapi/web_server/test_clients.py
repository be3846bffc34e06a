"""Slow and numerous clients of a real gunicorn with a small application, and what they may not take from others."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from paliapi.env import ROOT
from tests.environment import measured

_WITHIN_S = 30
_THREADS = 2


@dataclass(frozen=True)
class Web:
    """gunicorn with two threads and the application `tests.paliapi.web_server.small_app`."""

    address: tuple[str, int]
    folder: Path
    process: "subprocess.Popen[bytes]"

    def connect(self, *, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(self.address, timeout=_WITHIN_S, source_address=(source, 0))

    def ask(self, request: bytes) -> bytes:
        """Send bytes and return everything that the server sends until it closes the connection."""
        with self.connect() as line:
            line.sendall(request)
            return read_all(line)

    def get(self, path: str) -> bytes:
        return self.ask(f"GET {path} HTTP/1.0\r\n\r\n".encode())

    def post(self, path: str, body: bytes) -> bytes:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        return self.ask(head.encode() + body)


def read_all(line: socket.socket) -> bytes:
    return b"".join(iter(lambda: line.recv(65536), b""))


def read_response(line: socket.socket) -> bytes:
    """Read one response of the small application, whose body is short."""
    received = b""
    while b"\r\n\r\n" not in received or len(received.partition(b"\r\n\r\n")[2]) < _length(received):
        data = line.recv(65536)
        if not data:
            break
        received += data
    return received


def _length(received: bytes) -> int:
    return int(received.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])


@contextmanager
def serving(folder: Path, **limits: object) -> Iterator[Web]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        settings = folder / "settings.py"
        settings.write_text(
            "from paliapi.web_server.limits import Limits\n"
            f"def post_fork(server, worker): worker.limits = Limits(**{limits!r})\n"
        )
        command = [sys.executable, "-m", "gunicorn", "--config", str(settings), "--threads", str(_THREADS)]
        command += ["--worker-class", "paliapi.web_server.worker.BufferingWorker", "--graceful-timeout", "3"]
        command += ["--keep-alive", "15", "--bind", f"fd://{listener.fileno()}", "tests.paliapi.web_server.small_app"]
        environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "FOLDER": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            **measured(),
        }
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                command, cwd=ROOT, env=environment, pass_fds=(listener.fileno(),), stdout=log, stderr=log
            ) as process,
        ):
            web = Web(listener.getsockname(), folder, process)
            try:
                assert b"200 OK" in web.get("/")
                yield web
            finally:
                process.terminate()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(tmp_path_factory.mktemp("web")) as web:
        yield web


@contextmanager
def busy(web: Web) -> Iterator[None]:
    """Occupy all threads."""
    names = [f"held-{number}" for number in range(_THREADS)]
    with ThreadPoolExecutor(_THREADS) as clients:
        for name in names:
            clients.submit(web.get, f"/hold/{name}")
        while not all((web.folder / name).exists() for name in names):
            time.sleep(0.01)  # between two looks; pytest ends an endless test
        try:
            yield
        finally:
            for name in names:
                (web.folder / name).unlink()


SLOW = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: a\r\nX-",
    "half a body": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf",
    "half a large body": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhalf",
    "a request, and reads nothing": b"GET /bytes/5000000 HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_clients_occupy_no_thread(web: Web, sent: bytes) -> None:
    with ExitStack() as lines:
        for _ in range(_THREADS * 20):
            lines.enter_context(web.connect()).sendall(sent)
        assert b"200 OK" in web.get("/")
        assert web.post("/echo", b"x" * 200_000).endswith(b"\r\n\r\n200000")


def test_liveness_is_answered_while_all_threads_are_busy(web: Web) -> None:
    with busy(web):
        assert b"200 OK" in web.get("/livez")
        assert b"200 OK" in web.get("/v1/health/")


def test_connection_without_a_complete_head_is_closed_in_time(tmp_path: Path) -> None:
    with serving(tmp_path, head_s=0.5) as web:
        assert web.ask(b"") == b""
        response = web.ask(SLOW["half a head"])
        assert response.startswith(b"HTTP/1.1 408 ")
        assert b'"code": "request_timeout"' in response


def test_bytes_of_a_head_do_not_extend_its_deadline(tmp_path: Path) -> None:
    with serving(tmp_path, head_s=1) as web, web.connect() as line:
        line.sendall(b"GET / HTTP/1.1\r\n")
        line.settimeout(0.02)
        received = b""
        while not received.startswith(b"HTTP/1.1 408 "):
            line.sendall(b"X")
            with suppress(TimeoutError):
                received += line.recv(1000)


def test_all_of_many_idle_connections_are_closed(tmp_path: Path) -> None:
    with serving(tmp_path, head_s=1) as web, ExitStack() as lines:
        for line in [lines.enter_context(web.connect()) for _ in range(100)]:
            assert line.recv(1) == b""
        assert b"200 OK" in web.get("/")


def test_few_of_many_slow_clients_get_an_answer(tmp_path: Path) -> None:
    count = 100
    with serving(tmp_path, head_s=1) as web, ExitStack() as lines:
        slow = [lines.enter_context(web.connect()) for _ in range(count)]
        for line in slow:
            line.sendall(b"GET / HTTP/1.1\r\n")
        answered = sum(b"408" in read_all(line) for line in slow)
    assert 0 < answered < count


@pytest.mark.parametrize("length", [1000, 1_000_000])
def test_a_body_must_arrive_at_a_minimum_rate(tmp_path: Path, length: int) -> None:
    with serving(tmp_path, grace_s=0.5, bytes_per_s=1_000_000) as web:
        response = web.ask(f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nhalf".encode())
        assert response.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("length", [1000, 1_000_000])
def test_a_body_that_ends_early_never_reaches_the_application(web: Web, length: int) -> None:
    request = f"POST /log/{length} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nhalf".encode()
    with web.connect() as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        response = read_all(line)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b'"code": "incomplete_body"' in response
    assert b"released" in web.get("/log/whole")
    assert (web.folder / "seen").read_text() == "whole"


def test_a_client_that_sends_too_many_requests_waits_without_a_thread(web: Web) -> None:
    with ExitStack() as lines:
        clients = [lines.enter_context(web.connect()) for _ in range(20 * _THREADS)]
        began = time.monotonic()
        for client in clients:
            client.sendall(b"GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n")
        for client in clients:
            assert read_response(client).startswith(b"HTTP/1.1 429 ")
            assert time.monotonic() >= began + 0.25
            client.sendall(b"GET /bytes/10 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_response(client).endswith(b"0123456789")


def test_each_part_of_a_body_extends_its_deadline(tmp_path: Path) -> None:
    with serving(tmp_path, grace_s=1, bytes_per_s=1000) as web, web.connect() as line:
        line.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(4):
            time.sleep(0.5)  # twice the grace in total
            line.sendall(b"x" * 5000)
        assert read_all(line).endswith(b"20000")


def test_a_client_that_reads_nothing_is_disconnected(tmp_path: Path) -> None:
    with serving(tmp_path, grace_s=0.5, bytes_per_s=1_000_000_000) as web, web.connect() as line:
        line.sendall(b"GET /bytes/20000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        log = web.folder / "log"
        while b"response_timeout" not in log.read_bytes():
            time.sleep(0.05)  # between two looks
            web.get("/")
        received = 0
        with suppress(ConnectionError):
            received = len(read_all(line))
        assert received < 20_000_000


def test_a_slow_reader_gets_the_whole_response(web: Web) -> None:
    for path in ("/bytes/3000000", "/parts/3000000", "/file/3000000"):
        with web.connect() as line:
            line.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            time.sleep(0.3)  # the buffers of the sockets are full before the first byte is read
            assert read_all(line).partition(b"\r\n\r\n")[2] == b"0123456789" * 300_000


def test_oldest_connection_of_an_address_makes_way(tmp_path: Path) -> None:
    with serving(tmp_path, peer_connections=3) as web, ExitStack() as lines:
        mine = [lines.enter_context(web.connect(source="127.0.0.2")) for _ in range(4)]
        assert mine[0].recv(1) == b""
        for line in mine[1:]:
            line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200 OK" in read_response(line)


def test_behind_a_proxy_addresses_are_not_limited(tmp_path: Path) -> None:
    with serving(tmp_path, peer_connections=None) as web, ExitStack() as lines:
        mine = [lines.enter_context(web.connect()) for _ in range(400)]
        mine[0].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in read_response(mine[0])


def test_connection_without_progress_for_longest_makes_way(tmp_path: Path) -> None:
    with serving(tmp_path, connections=10) as web, ExitStack() as lines:
        for number in range(40):
            lines.enter_context(web.connect(source=f"127.0.0.{number + 2}")).sendall(SLOW["half a head"])
        upload = lines.enter_context(web.connect())
        upload.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        for number in range(10):
            upload.sendall(b"x" * 100_000)
            for other in range(5):
                lines.enter_context(web.connect(source=f"127.0.1.{5 * number + other + 1}"))
            assert b"200 OK" in web.get("/")
        assert read_response(upload).endswith(b"1000000")


def test_memory_for_requests_is_limited(tmp_path: Path) -> None:
    half = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + b"x" * 30_000
    with serving(tmp_path, memory_bytes=100_000) as web, ExitStack() as lines:
        mine = [lines.enter_context(web.connect()) for _ in range(4)]
        for line in mine:
            line.sendall(half)
            time.sleep(0.2)  # so that they arrive in this order
        assert mine[0].recv(1) == b""
        mine[3].sendall(b"x" * 30_000)
        assert read_response(mine[3]).endswith(b"60000")


def test_disk_for_bodies_is_limited(tmp_path: Path) -> None:
    with serving(tmp_path, room_bytes=1_000_000) as web:
        assert web.post("/echo", b"x" * 400_000).endswith(b"400000")
        response = web.post("/echo", b"x" * 600_000)
        assert response.startswith(b"HTTP/1.1 503 ")
        assert b'"code": "overloaded"' in response
        assert b"Retry-After: " in response
        assert web.post("/echo", b"x" * 400_000).endswith(b"400000")


@pytest.mark.parametrize(("path", "received"), [("/admitted", b"100000"), ("/refused", b"0")])
def test_a_large_body_is_received_if_the_application_admits_it(web: Web, path: str, received: bytes) -> None:
    assert web.post(path, b"x" * 100_000).endswith(b"\r\n\r\n" + received)


def test_a_body_that_no_endpoint_accepts_is_not_received(tmp_path: Path) -> None:
    with serving(tmp_path, max_body_bytes=1_000_000) as web, web.connect() as line:
        line.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n")
        assert read_all(line).endswith(b"\r\n\r\n0")


@pytest.mark.parametrize("length", [10, 100_000])
def test_client_that_expects_it_is_asked_to_continue(web: Web, length: int) -> None:
    head = f"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n"
    with web.connect() as line:
        line.sendall(f"{head}Connection: close\r\n\r\n".encode())
        assert line.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"x" * length)
        assert read_all(line).endswith(str(length).encode())


def test_refused_client_is_not_asked_to_continue(web: Web) -> None:
    response = web.ask(b"POST /refused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in response


def test_pipelined_requests_are_answered_in_order(web: Web) -> None:
    first = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    second = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000
    last = b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    bodies = [part.partition(b"\r\n\r\n")[2] for part in web.ask(first + second + last).split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"3", b"70000", b"0"]


def test_request_after_a_chunked_body_is_not_read(web: Web) -> None:
    hidden = b"GET /hold/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    response = web.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden)
    assert response.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in response
    assert not (web.folder / "smuggled").exists()


@pytest.mark.parametrize("size", [1, 7, 300])
def test_a_request_may_arrive_in_small_pieces(web: Web, size: int) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
    with web.connect() as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), size):
            line.sendall(request[start : start + size])
        assert read_all(line).endswith(b"\r\n\r\n5")


def test_events_are_sent_as_they_happen(web: Web) -> None:
    with web.connect() as line:
        line.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = b""
        while b"first" not in received:
            received += line.recv(1000)
        assert b"second" not in received
        (web.folder / "continue").touch()
        assert b"second" in read_all(line)


def test_failure_before_the_response_is_an_internal_error(web: Web) -> None:
    response = web.get("/fail")
    assert response.startswith(b"HTTP/1.1 500 ")
    assert b'"code": "internal_error"' in response


def test_failure_during_the_response_cuts_it_off(web: Web) -> None:
    response = web.ask(b"GET /fail-later HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"200 OK" in response
    assert not response.endswith(b"0\r\n\r\n")


def test_stopping_finishes_requests_and_closes_idle_connections(tmp_path: Path) -> None:
    with serving(tmp_path) as web, web.connect() as idle, web.connect() as kept, ThreadPoolExecutor(1) as client:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"keep-alive" in read_response(kept)
        answer = client.submit(web.get, "/hold/last")
        while not (web.folder / "last").exists():
            time.sleep(0.01)  # between two looks
        web.process.terminate()
        assert idle.recv(1) == b""
        assert kept.recv(1) == b""
        (web.folder / "last").unlink()
        assert b"200 OK" in answer.result()
        assert web.process.wait(_WITHIN_S) == 0


def test_file_descriptors_may_be_used_up_to_the_hard_limit(web: Web) -> None:
    children = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text().split()
    limits = {resource.prlimit(int(child), resource.RLIMIT_NOFILE) for child in children}
    assert limits == {(hard, hard) for _, hard in limits}
