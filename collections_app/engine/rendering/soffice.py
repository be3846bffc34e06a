"""Convert Office files to PDF with headless LibreOffice, in a sandbox.

Each run has its own folder with a copy of the file, a new profile and the result. LibreOffice can open only that folder
and its own program, and reaches no network and no other process; `soffice_child` puts up these walls. Memory, CPU time,
duration and the size of files are limited, and the whole process group is killed at the end.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO

from collections_app.engine import process_name
from collections_app.engine.rendering import ole2, soffice_profile, zip_check
from collections_app.engine.rendering.confinement import Program, require_walls
from collections_app.engine.rendering.errors import (
    ConversionFailed,
    ConverterMissing,
    FileEncrypted,
    RenderTookTooLong,
    RenderUnavailable,
)
from paliapi.errors import Error
from sandbox import privileges

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[3]
_FOLDER_PREFIX = "paliapi-office-"
_OWNER = "owner"
_MAX_PDF_MB = 512
_POLL_INTERVAL_S = 0.1
_LOGGED_OUTPUT_BYTES = 500
_SANDBOX_FOLDER = Path("/work")
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeConverter:
    """The program that converts, and the limits of one run."""

    program: str = "soffice"
    timeout_s: int = 120
    memory_mb: int = 1536
    sandbox_required: bool = False  # refuse to convert unless every wall stands


def convert_to_pdf(
    source: IO[bytes],
    out: IO[bytes],
    *,
    extension: str,
    converter: OfficeConverter,
    check_cancelled: Callable[[], None] = lambda: None,
) -> None:
    """Write the PDF to `out`. `check_cancelled` is called repeatedly; an exception from it ends the run."""
    program = shutil.which(converter.program)
    if program is None:
        raise ConverterMissing
    if converter.sandbox_required:
        require_walls()
    source.seek(0)
    if source.read(len(zip_check.SIGNATURE)) == zip_check.SIGNATURE:
        zip_check.check_sizes(source, check_cancelled=check_cancelled)
    with (
        tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX, ignore_cleanup_errors=True) as name,
        tempfile.TemporaryFile() as output,
    ):
        folder = Path(name).resolve()
        input_name = f"source.{extension}"
        _prepare(folder, source, input_name)
        with _start(folder, Path(program).resolve(), input_name, converter, output) as process:
            status = _wait(process, converter.timeout_s, check_cancelled)
        if status != 0 or not _copy_result(folder / "out" / "source.pdf", out):
            raise _failure(source, status, output)


def delete_abandoned_runs() -> int:
    """Delete the folders of runs whose worker was killed, and return how many there were."""
    deleted = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*"):
        owner = folder / _OWNER
        with suppress(OSError):
            # A run can replace the file, for example by a pipe, from which reading never ends.
            if owner.is_file() and not owner.is_symlink() and process_name.is_gone(owner.read_text(encoding="ascii")):
                shutil.rmtree(folder)
                deleted += 1
    return deleted


def _prepare(folder: Path, source: IO[bytes], input_name: str) -> None:
    (folder / _OWNER).write_text(process_name.name_of(os.getpid()), encoding="ascii")
    (folder / "tmp").mkdir()
    (folder / "out").mkdir()
    soffice_profile.write(folder / "profile")
    source.seek(0)
    with (folder / input_name).open("wb") as copy:
        shutil.copyfileobj(source, copy)
    if (user := privileges.spare_user()) is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)


@contextmanager
def _start(
    folder: Path, program: Path, input_name: str, converter: OfficeConverter, output: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    bubblewrap = _bubblewrap()
    visible_folder = _SANDBOX_FOLDER if bubblewrap else folder
    confined = Program(
        path=str(program),
        folder=str(folder),
        memory_mb=converter.memory_mb,
        cpu_s=converter.timeout_s,
        file_mb=_MAX_PDF_MB,
        sandbox_required=converter.sandbox_required,
    )
    if bubblewrap:
        confined = replace(confined, bubblewrap=_sandbox_command(bubblewrap, confined))
    child = [sys.executable, "-B", "-m", "collections_app.engine.rendering.soffice_child", confined.to_json()]
    process = subprocess.Popen(
        [*child, *_arguments(visible_folder, input_name)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=_ROOT,
        env={
            "HOME": str(visible_folder),
            "TMPDIR": str(visible_folder / "tmp"),
            "LANG": "C.UTF-8",
            "PATH": os.defpath,
        },
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # The whole group, so that nothing it started survives; processes inside bubblewrap die with it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], timeout_s: int, check_cancelled: Callable[[], None]) -> int:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_POLL_INTERVAL_S)
        check_cancelled()
    raise RenderTookTooLong(f"LibreOffice did not finish within {timeout_s} seconds.")


def _arguments(folder: Path, input_name: str) -> list[str]:
    return [
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        *("--headless", "--invisible", "--norestore", "--nodefault", "--nolockcheck", "--nologo"),
        *("--convert-to", "pdf", "--outdir", str(folder / "out"), str(folder / input_name)),
    ]


def _sandbox_command(bubblewrap: str, program: Program) -> tuple[str, ...]:
    isolation = ("--unshare-all", "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev")
    writable = ("--bind", program.folder, str(_SANDBOX_FOLDER), "--bind", f"{program.folder}/tmp", "/tmp")  # noqa: S108
    read_only = (part for path in program.visible() for part in ("--ro-bind-try", path, path))
    return bubblewrap, *isolation, *writable, *read_only, "--remount-ro", "/", "--chdir", str(_SANDBOX_FOLDER), "--"


@cache
def _bubblewrap() -> str | None:
    """Return the path of bubblewrap if it is installed and the kernel allows it; many containers do not."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    trial = [program, "--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true"]
    user = privileges.spare_user()
    groups = None if user is None else ()
    done = subprocess.run(trial, capture_output=True, check=False, user=user, group=user, extra_groups=groups)
    return program if done.returncode == 0 else None


def _copy_result(pdf: Path, out: IO[bytes]) -> bool:
    """Copy the PDF to `out` and return whether there is one. A link to another file does not count."""
    if pdf.resolve() != pdf or not pdf.is_file():
        return False
    with pdf.open("rb") as result:
        if result.read(5) != b"%PDF-":
            return False
        result.seek(0)
        shutil.copyfileobj(result, out)
    out.flush()
    return True


def _failure(source: IO[bytes], status: int, output: IO[bytes]) -> Error:
    if status in _KILLED:
        # Not the fault of the file: the machine ran out of memory, or the process was stopped.
        return RenderUnavailable()
    if status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        return RenderTookTooLong()
    output.seek(max(0, output.seek(0, os.SEEK_END) - _LOGGED_OUTPUT_BYTES))
    logger.warning("LibreOffice ended with %s: %s", status, output.read().decode(errors="replace"))
    return FileEncrypted() if ole2.is_encrypted(source) else ConversionFailed()
