"""An Office file becomes a PDF, by LibreOffice without a screen, in a sandbox.

Each run has a folder of its own, that holds a copy of the file, a new profile and the result. Where bubblewrap works,
LibreOffice sees that folder and its own program, and nothing else: no network, no other process, no other file. Where
it does not, there is no network where the kernel lets it go, and the profile forbids links to other files. In both
cases memory, processor time, time and the size of what it writes are limited, and the group of processes is killed.
"""

import json
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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from collections_app.engine import process_name
from collections_app.engine.rendering import office_types, soffice_profile, zip_check
from collections_app.engine.rendering.errors import (
    ConversionFailed,
    ConverterMissing,
    FileEncrypted,
    RenderTookTooLong,
    RenderUnavailable,
)
from collections_app.engine.rendering.file_types import Kind
from paliapi.errors import Error

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[3]
_PREFIX = "paliapi-office-"
_OWNER = "owner"
_LARGEST_PDF_MB = 512
_LOOK_EVERY_S = 0.1
_LAST_WORDS = 500
_INSIDE = Path("/work")
# What programs are made of; the rest of the disk is not there.
_SEEN = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt"),
    *("/etc/fonts", "/etc/libreoffice", "/etc/alternatives", "/etc/ld.so.cache"),
)
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """By which program, and what one run may cost."""

    program: str = "soffice"
    timeout_s: int = 120
    memory_mb: int = 1536


def to_pdf(
    source: IO[bytes],
    out: IO[bytes],
    *,
    kind: Kind,
    by: Conversion,
    still_wanted: Callable[[], None] = lambda: None,
) -> None:
    """Write the PDF into `out`. `still_wanted` is called now and then; what it raises ends the run."""
    program = shutil.which(by.program)
    if program is None:
        raise ConverterMissing
    source.seek(0)
    if source.read(len(office_types.ZIP)) == office_types.ZIP:
        zip_check.check_truth(source, still_wanted=still_wanted)
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name,
        tempfile.TemporaryFile() as said,
    ):
        folder = Path(name).resolve()
        _lay_out(folder, source, kind)
        with _started(folder, Path(program).resolve(), kind, by, said) as process:
            status = _waited_for(process, by.timeout_s, still_wanted)
        if status != 0 or not _taken(folder / "out" / "source.pdf", out):
            raise _failure(source, status, said)


def drop_abandoned() -> int:
    """Remove the folders of runs whose worker was killed; how many there were."""
    dropped = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if process_name.is_gone((folder / _OWNER).read_text(encoding="ascii")):
                shutil.rmtree(folder)
                dropped += 1
    return dropped


def _lay_out(folder: Path, source: IO[bytes], kind: Kind) -> None:
    (folder / _OWNER).write_text(process_name.name_of(os.getpid()), encoding="ascii")
    (folder / "tmp").mkdir()
    (folder / "out").mkdir()
    soffice_profile.write(folder / "profile")
    source.seek(0)
    with (folder / f"source.{kind.extension}").open("wb") as copy:
        shutil.copyfileobj(source, copy)


@contextmanager
def _started(
    folder: Path, program: Path, kind: Kind, by: Conversion, said: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    wrapper = _bubblewrap()
    place = _INSIDE if wrapper else folder
    limits = {
        "alone": not wrapper,
        "memory_mb": by.memory_mb,
        "cpu_s": by.timeout_s,
        "file_mb": _LARGEST_PDF_MB,
    }
    child = [sys.executable, "-B", "-m", "collections_app.engine.rendering.soffice_child", json.dumps(limits)]
    process = subprocess.Popen(
        [*child, *_wrapped(wrapper, folder, program), str(program), *_arguments(place, kind)],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        cwd=_ROOT,
        env={"HOME": str(place), "TMPDIR": str(place / "tmp"), "LANG": "C.UTF-8", "PATH": os.defpath},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # Its own group, so that nothing it started stays; what is inside bubblewrap dies with that.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _waited_for(process: subprocess.Popen[bytes], timeout_s: int, still_wanted: Callable[[], None]) -> int:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_LOOK_EVERY_S)
        still_wanted()
    raise RenderTookTooLong(f"LibreOffice was given {timeout_s} seconds and did not finish.")


def _arguments(place: Path, kind: Kind) -> list[str]:
    quiet = ("--headless", "--invisible", "--norestore", "--nodefault", "--nolockcheck", "--nologo")
    return [
        f"-env:UserInstallation={(place / 'profile').as_uri()}",
        *quiet,
        *("--convert-to", "pdf", "--outdir", str(place / "out"), str(place / f"source.{kind.extension}")),
    ]


def _wrapped(wrapper: str | None, folder: Path, program: Path) -> list[str]:
    if wrapper is None:
        return []
    alone = ["--unshare-all", "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    own = ["--bind", str(folder), str(_INSIDE), "--bind", str(folder / "tmp"), "/tmp"]  # noqa: S108 - a folder of this run
    seen = [part for path in (*_SEEN, str(program.parent)) for part in ("--ro-bind-try", path, path)]
    return [wrapper, *alone, *own, *seen, "--chdir", str(_INSIDE), "--"]


@cache
def _bubblewrap() -> str | None:
    """The program, if it is there and the kernel lets it do its work; many containers do not."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    trial = [program, "--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true"]
    done = subprocess.run(trial, capture_output=True, check=False)
    return program if done.returncode == 0 else None


def _taken(pdf: Path, out: IO[bytes]) -> bool:
    """Whether there is a PDF, which is then in `out`. A link to some other file is none."""
    if pdf.resolve() != pdf or not pdf.is_file():
        return False
    with pdf.open("rb") as found:
        if found.read(5) != b"%PDF-":
            return False
        found.seek(0)
        shutil.copyfileobj(found, out)
    out.flush()
    return True


def _failure(source: IO[bytes], status: int, said: IO[bytes]) -> Error:
    if status in _KILLED:
        # Not the file's doing: the machine was short of memory, or somebody stopped it.
        return RenderUnavailable()
    if status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        return RenderTookTooLong()
    said.seek(max(0, said.seek(0, os.SEEK_END) - _LAST_WORDS))
    logger.warning("LibreOffice ended with %s: %s", status, said.read().decode(errors="replace"))
    return FileEncrypted() if office_types.is_locked(source) else ConversionFailed()
