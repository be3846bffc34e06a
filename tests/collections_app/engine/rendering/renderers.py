"""The processes that render for this one, as the kernel lists them."""

import os
from contextlib import suppress
from pathlib import Path


def fork_servers() -> set[int]:
    return {pid for pid in _children(os.getpid()) if b"rendering.fork_server" in _command(pid)}


def renderers() -> set[int]:
    return {pid for server in fork_servers() for pid in _children(server)}


def _children(parent: int) -> set[int]:
    pids = set[int]()
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            pids |= set(map(int, path.read_text().split()))
    return pids


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
