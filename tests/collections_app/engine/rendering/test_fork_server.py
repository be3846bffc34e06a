"""The fork server: what its processes inherit, and how they end."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

import pytest

from collections_app.engine.rendering.forked import ForkedProcess
from collections_app.engine.rendering.formats.base import PDF_RENDERER
from collections_app.engine.rendering.protocol import Job, RenderLimits
from collections_app.engine.rendering.render import _Child
from tests.collections_app.engine.rendering import curious_renderer
from tests.collections_app.engine.rendering.renderers import fork_servers, renderers
from tests.collections_app.engine.rendering.samples import endless_pdf, pdf

ROOT = Path(__file__).resolve().parents[4]


def job_for(renderer: str) -> Job:
    return Job(renderer=renderer, dpi=72, encoding="jpeg", limits=RenderLimits())


@pytest.fixture
def busy() -> Iterator[ForkedProcess]:
    """Return a process that renders for ever, or until it is ended."""
    with tempfile.TemporaryFile() as file:
        file.write(endless_pdf())
        file.flush()
        with closing(ForkedProcess(job_for(PDF_RENDERER), file)) as process:
            yield process


@pytest.fixture
def small() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(pdf("small"))
        file.flush()
        yield file


def read_all(process: ForkedProcess) -> bytes:
    return b"".join(iter(lambda: os.read(process.output, 2**16), b""))


def test_a_process_has_its_file_and_its_pipe_and_nothing_of_others(busy: ForkedProcess, small: IO[bytes]) -> None:
    assert renderers()
    with _Child(small, job_for(curious_renderer.__name__)) as child:
        (page,) = child.pages()
    assert json.loads(page.text) == []


def test_a_process_ends_with_its_status(small: IO[bytes]) -> None:
    with closing(ForkedProcess(job_for(PDF_RENDERER), small)) as process:
        assert read_all(process)
        assert process.exit_status() == 0


def test_a_process_is_killed_when_its_pages_are_not_needed(busy: ForkedProcess) -> None:
    (pid,) = renderers()
    busy.kill()
    assert busy.exit_status() == -signal.SIGKILL
    assert pid not in renderers()


def test_an_unknown_renderer_ends_only_its_own_process(small: IO[bytes]) -> None:
    with closing(ForkedProcess(job_for("no.such.module"), small)) as process:
        assert read_all(process) == b""
        assert process.exit_status() == 1
    with closing(ForkedProcess(job_for(PDF_RENDERER), small)) as process:
        assert read_all(process)


def test_many_processes_run_at_once(small: IO[bytes]) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(closing(ForkedProcess(job_for(PDF_RENDERER), small))) for _ in range(8)]
        outputs: list[bytes] = []
        threads = [threading.Thread(target=lambda one=one: outputs.append(read_all(one))) for one in processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(outputs)) == 1
        assert len(outputs) == 8
        assert {process.exit_status() for process in processes} == {0}


def test_server_and_processes_end_with_their_owner() -> None:
    code = """
import sys, tempfile
from tests.collections_app.engine.rendering.renderers import fork_servers, renderers
from tests.collections_app.engine.rendering.test_fork_server import PDF_RENDERER, ForkedProcess, endless_pdf, job_for
file = tempfile.TemporaryFile()
file.write(endless_pdf())
file.flush()
process = ForkedProcess(job_for(PDF_RENDERER), file)
print(*fork_servers(), *renderers(), flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-B", "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        server, renderer = map(int, owner.stdout.readline().split())
        watched = [os.pidfd_open(pid) for pid in (server, renderer)]
        owner.kill()
    for descriptor in watched:
        assert has_ended(descriptor)


def has_ended(descriptor: int) -> bool:
    """Wait for the process of a descriptor to end."""
    ready, _, _ = select.select([descriptor], [], [], 30)
    os.close(descriptor)
    return bool(ready)


def test_processes_end_with_the_server(busy: ForkedProcess) -> None:
    (pid,) = renderers()
    descriptor = os.pidfd_open(pid)
    for server in fork_servers():
        os.kill(server, signal.SIGKILL)
    assert has_ended(descriptor)
    assert busy.exit_status() is None
