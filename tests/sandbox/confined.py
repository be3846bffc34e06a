"""Run code in a process that has put walls around itself, as root or as a plain user."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.sandbox.attempts import Targets

ROOT = Path(__file__).resolve().parents[2]
PLAIN_USER = 64_321
# Runs before the walls are up; `os` and `sys` are imported then.
PRELUDE = """
import json, os, resource, sys
from pathlib import Path
from sandbox import calls
from sandbox.walls import Walls, confine
from tests.sandbox import attempts
if (user := int(sys.argv[1])) and os.getuid() == 0:
    os.setgroups([]); os.setresgid(user, user, user); os.setresuid(user, user, user)
del sys.argv[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
"""


def run(code: str, *arguments: str, user: int = 0) -> subprocess.CompletedProcess[str]:
    """Run code after the prelude; root becomes `user` first, unless that is 0."""
    command = [sys.executable, "-B", "-c", PRELUDE + code, str(user), *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env={"PATH": os.defpath}
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[object]:
    """Return the JSON values that it printed, one per line."""
    return [json.loads(line) for line in done.stdout.splitlines()]


@contextmanager
def targets(*, user: int = 0) -> Iterator[Targets]:
    """Yield a folder with secrets, sockets and a process, all of them owned by `user` if this process is root."""
    owner = user if user and os.getuid() == 0 else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paliapi-targets-")))
        stream = stack.enter_context(_listener(socket.AF_UNIX, str(folder / "stream")))
        datagram = stack.enter_context(_listener(socket.AF_UNIX, str(folder / "datagram"), kind=socket.SOCK_DGRAM))
        abstract = stack.enter_context(_listener(socket.AF_UNIX, f"\0paliapi-{os.getpid()}"))
        tcp = stack.enter_context(_listener(socket.AF_INET, ("127.0.0.1", 0)))
        for name in ("secret", "renamed", "deleted"):
            (folder / name).write_text("secret")
        (folder / "empty").mkdir()
        for path in (folder, *folder.iterdir()):
            if owner is not None:
                shutil.chown(path, owner, owner)
        program = shutil.which("sleep") or "/bin/sleep"
        process = stack.enter_context(
            subprocess.Popen(
                [program, "120"], user=owner, group=owner, extra_groups=[] if owner else None, env={"SECRET": "secret"}
            )
        )
        stack.callback(process.kill)
        yield Targets(
            folder=str(folder),
            unix_socket=stream.getsockname(),
            unix_datagram=datagram.getsockname(),
            abstract_socket=abstract.getsockname().decode().removeprefix("\0"),
            tcp_port=tcp.getsockname()[1],
            process=process.pid,
        )


@contextmanager
def _listener(
    family: int, address: str | tuple[str, int], *, kind: int = socket.SOCK_STREAM
) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as server:
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen()
        yield server
