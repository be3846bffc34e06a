"""Send hostile files and hostile web responses, and measure the effect on them and on another owner's document.

Everything runs through the real processes of a temporary stack. `make bombs` checks that each bomb ends with its
expected error code, within 2 GB of memory, prints a table, and writes it to `drills/results/bombs.json`.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from socket import socket

import httpx

from benchmarks.harness.sample_pdf import lines
from benchmarks.harness.stack import Stack, descendants, running, temporary_folder
from benchmarks.harness.uploads import COLLECTION, look_at, until_ready, upload
from paliapi import env
from paliapi.stack.listen import free_port
from tests.collections_app.engine.outbound.web_servers import Response, listening, ok
from tests.collections_app.engine.rendering.bombs import IN_FILES, READY

_RESULTS = env.ROOT / "drills" / "results" / "bombs.json"
_WITHIN_S = 300.0
_MEMORY_LIMIT_MB = 2048
_NEIGHBOUR = "neighbour@example.com"


@dataclass(frozen=True, slots=True)
class Row:
    """The outcome of one bomb."""

    bomb: str
    bytes: int
    end: str
    as_expected: bool
    seconds: float
    peak_mb: int  # of the largest process of the worker
    neighbour_seconds: float


def main() -> int:
    port = free_port()
    limits = {"FETCH_ALLOW": "127.0.0.1", "FETCH_PORTS": str(port), "FETCH_TIMEOUT_S": "20", "MAX_UPLOAD_MB": "50"}
    with (
        temporary_folder() as folder,
        running(folder, **limits) as stack,
        listening(_responses(), port=port),
        stack.client() as client,
        _neighbour_of(stack).client() as neighbour,
    ):
        upload(neighbour, "first.pdf", lines(["the first document"]))
        until_ready(neighbour, "first.pdf", within_s=_WITHIN_S)
        rows = list(_drop_all(stack, client, neighbour, f"http://127.0.0.1:{port}"))
    _RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    good = all(row.as_expected and row.peak_mb < _MEMORY_LIMIT_MB for row in rows)
    sys.stdout.write(f"{'All' if good else 'NOT all'} of {len(rows)} ended as expected, in less than 2 GB.\n")
    return 0 if good else 1


def _drop_all(stack: Stack, client: httpx.Client, neighbour: httpx.Client, web: str) -> Iterator[Row]:
    sys.stdout.write(f"{'bomb':46} {'bytes':>9} {'end':28} {'s':>6} {'MB':>6} {'neighbour s':>12}\n")
    for number, bomb in enumerate(IN_FILES):
        content = bomb.make()
        yield _print_row(_drop(stack, client, neighbour, f"{number}", bomb.name, bomb.ends, content=content))
    for path, (name, ends) in _PATHS.items():
        yield _print_row(_drop(stack, client, neighbour, path[1:], name, ends, url=web + path))


def _drop(
    stack: Stack,
    client: httpx.Client,
    neighbour: httpx.Client,
    name: str,
    description: str,
    ends: frozenset[str],
    *,
    content: bytes = b"",
    url: str = "",
) -> Row:
    begun = time.monotonic()
    with _peak_of(stack) as peak:
        sent = _upload(client, name, content, url)
        upload(neighbour, f"next to {name}", lines([f"next to {description}"]))
        until_ready(neighbour, f"next to {name}", within_s=_WITHIN_S)
        neighbour_s = time.monotonic() - begun
        end = sent or _outcome_of(client, name)
    seconds = time.monotonic() - begun
    return Row(description, len(content), end, end in ends, round(seconds, 1), peak[0], round(neighbour_s, 1))


def _upload(client: httpx.Client, name: str, content: bytes, url: str) -> str:
    """Upload it and return the error code if the upload is rejected."""
    where = {"name": name, "collection_name": COLLECTION}
    sent: Mapping[str, object] = {"json": {**where, "url": url}} if url else {"data": where, "files": {"file": content}}
    answer = client.post("/v1/documents/upsert-document/", **sent)  # type: ignore[arg-type]
    return "" if answer.status_code == 202 else str(answer.json()["code"])


def _outcome_of(client: httpx.Client, name: str) -> str:
    until = time.monotonic() + _WITHIN_S
    while time.monotonic() < until:
        document = look_at(client, name)
        if document["status"] == "failed":
            return str(document["error"]["code"])
        if document["status"] == "ready":
            return READY
        if document["waiting_for"]:
            return f"waiting for {document['waiting_for']}"
        time.sleep(0.25)
    return "never ended"


@contextmanager
def _peak_of(stack: Stack) -> Iterator[list[int]]:
    """Record the peak memory, in MB, of any worker process while the block runs."""
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            worker = stack.pid_of("worker")
            peak[0] = max([peak[0], *map(_resident_mb, [worker, *descendants(worker)])])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _resident_mb(pid: int) -> int:
    try:
        match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(match[1]) // 1024 if match else 0


def _print_row(row: Row) -> Row:
    mark = "" if row.as_expected else "  NOT EXPECTED"
    sys.stdout.write(
        f"{row.bomb:46} {row.bytes:9,} {row.end:28} {row.seconds:6} {row.peak_mb:6} {row.neighbour_seconds:12}{mark}\n"
    )
    sys.stdout.flush()
    return row


def _neighbour_of(stack: Stack) -> Stack:
    """Return the same stack with the key of another user."""
    _managed(stack, "create_user", _NEIGHBOUR)
    keys = re.findall(r"pali_\S+", _managed(stack, "create_api_key", _NEIGHBOUR))
    return replace(stack, key=keys[-1])


def _managed(stack: Stack, *command: str) -> str:
    """Run a `manage.py` command and return its output."""
    environ = {
        "PATH": os.defpath,
        "PALIAPI_HOME": str(stack.home.path),
    }
    argv = [sys.executable, "manage.py", *command]
    done = subprocess.run(argv, cwd=env.ROOT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


_REFUSED = frozenset({"fetch_failed", "fetch_too_large", "waiting for fetch_unavailable"})
_PATHS = {
    "/gzip": ("a response of 1 GB, compressed", _REFUSED | {"unsupported_type"}),
    "/endless": ("an endless response", _REFUSED),
    "/slow": ("a response of one byte at a time", _REFUSED),
}


def _responses() -> dict[str, bytes | Response]:
    packer = zlib.compressobj(1, wbits=31)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(1000)) + packer.flush()
    return {"/gzip": ok(packed, "Content-Encoding: gzip"), "/endless": _endless, "/slow": _slow}


def _endless(connection: socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n%PDF-1.7\n")
    while not over.is_set():
        connection.sendall(bytes(65_536))


def _slow(connection: socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not over.wait(0.5):
        connection.sendall(b"x")


if __name__ == "__main__":
    sys.exit(main())
