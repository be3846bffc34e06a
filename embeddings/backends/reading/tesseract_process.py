"""The process that runs Tesseract for the service; its arguments are the paths of the program and of its data.

Each request is a line of JSON and the grey pixels of a page; each answer is a line of JSON. The process and the program
that it runs can open Tesseract, its data and the system's libraries, write nothing, and reach no other machine or
process.
"""

import json
import logging
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from embeddings.backends.reading.tesseract import words_of_tsv
from sandbox import calls, limits, walls

log = logging.getLogger(__name__)

_LIBRARIES = ("/bin", "/lib", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_MEMORY_MB, _CPU_S, _WALL_S = 1024, 20, 40
_MAX_PIXELS = 20_000_000
_SCRIPT = re.compile(r"^Script: ([A-Za-z]+)$", re.MULTILINE)


def main() -> None:
    """Answer requests until the input ends."""
    program, data = sys.argv[1:]
    standing = walls.confine(
        calls=calls.programs(may_listen=False),
        readable=[Path(data), Path("/dev/urandom")],
        executable=[Path(program), *map(Path, _LIBRARIES)],
        writable=[Path("/dev/null")],
        end_with_parent=True,
    )
    if missing := standing.missing():
        log.warning("The kernel does not allow these walls around Tesseract: %s.", ", ".join(missing))
    while header := sys.stdin.buffer.readline():
        request = json.loads(header)
        width, height = int(request["width"]), int(request["height"])
        if not 0 < width * height <= _MAX_PIXELS:
            raise ValueError("The page is too large.")
        pixels = sys.stdin.buffer.read(width * height)
        answer = _answer(request, b"P5 %d %d 255\n" % (width, height) + pixels, (program, data))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def _answer(request: dict[str, Any], page: bytes, tesseract: tuple[str, str]) -> dict[str, Any]:
    if request["task"] == "script":
        script = _SCRIPT.search(_run(page, tesseract, "-l", "osd", "--psm", "0"))
        return {"script": script[1] if script else None}
    table = _run(page, tesseract, "-l", request["language"], "--psm", "3", "tsv")
    return {"words": words_of_tsv(table, (int(request["width"]), int(request["height"])))}


def _run(page: bytes, tesseract: tuple[str, str], *options: str) -> str:
    """Return what Tesseract prints about a page; nothing if it fails or takes too long."""
    program, data = tesseract
    done = subprocess.run(
        [program, "stdin", "stdout", "--tessdata-dir", data, "--dpi", "150", *options],
        input=page,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
        preexec_fn=_limit,  # this process has a single thread
        env={"OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"},
    )
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _limit() -> None:
    limits.limit_work(memory_mb=_MEMORY_MB, cpu_s=_CPU_S)
    limits.limit_files(size_mb=0, count=64)
    # An alarm survives the start of a program, and ends it; this process may not.
    signal.alarm(_WALL_S)


if __name__ == "__main__":
    main()
