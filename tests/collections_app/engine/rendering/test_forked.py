"""The fork server as its owner sees it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from collections_app.engine.rendering.errors import RenderUnavailable
from collections_app.engine.rendering.forked import ForkedProcess
from collections_app.engine.rendering.formats.base import PDF_RENDERER
from collections_app.engine.rendering.protocol import Job, RenderLimits
from tests.collections_app.engine.rendering.renderers import fork_servers, renderers
from tests.collections_app.engine.rendering.samples import endless_pdf, pdf

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def file() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as opened:
        opened.write(pdf("text"))
        opened.flush()
        yield opened


def start(file: IO[bytes]) -> ForkedProcess:
    return ForkedProcess(Job(renderer=PDF_RENDERER, dpi=72, encoding="jpeg", limits=RenderLimits()), file)


def render(file: IO[bytes]) -> int | None:
    with closing(start(file)) as process:
        while os.read(process.output, 2**16):
            pass
        return process.exit_status()


def test_all_files_have_the_same_server(file: IO[bytes]) -> None:
    assert render(file) == 0
    servers = fork_servers()
    assert render(file) == 0
    assert fork_servers() == servers


def test_a_server_that_died_is_replaced(file: IO[bytes]) -> None:
    render(file)
    (server,) = fork_servers()
    os.kill(server, signal.SIGKILL)
    assert render(file) == 0
    assert server not in fork_servers()


def test_a_crash_is_followed_by_a_server_with_another_layout(file: IO[bytes]) -> None:
    render(file)
    before = fork_servers()
    with tempfile.TemporaryFile() as endless:
        endless.write(endless_pdf())
        endless.flush()
        with closing(start(endless)):
            (pid,) = renderers()
            os.kill(pid, signal.SIGSEGV)
            _wait_for_end_of(pid)
    assert render(file) == 0
    assert not fork_servers() & before


def test_a_kill_keeps_the_server(file: IO[bytes]) -> None:
    render(file)
    before = fork_servers()
    with tempfile.TemporaryFile() as endless:
        endless.write(endless_pdf())
        endless.flush()
        with closing(start(endless)) as process:
            process.kill()
    assert fork_servers() == before


def test_a_server_that_cannot_start_is_an_outage(file: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    for server in fork_servers():
        os.kill(server, signal.SIGKILL)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(RenderUnavailable):
            start(file)
    assert render(file) == 0


def test_a_forked_owner_starts_its_own_server() -> None:
    code = """
import os, tempfile
from tests.collections_app.engine.rendering.test_forked import fork_servers, pdf, render
file = tempfile.TemporaryFile()
file.write(pdf("text"))
file.flush()
first = render(file), len(fork_servers())
if os.fork() == 0:
    print(render(file), len(fork_servers()), flush=True)
    os._exit(0)
os.wait()
print(*first, render(file), len(fork_servers()))
"""
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0 1\n0 1 0 1\n", "")


def _wait_for_end_of(pid: int) -> None:
    while pid in renderers():
        pass
