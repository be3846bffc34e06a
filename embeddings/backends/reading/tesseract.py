"""Tesseract, if it is installed: names the script of a page that the recogniser cannot read, and reads it if it can.

The service may run no program, so a process of its own does that, which is started before the service is confined. It
is confined itself, gets pixels through a pipe, and no name of a file. This module imports nothing that starts threads.
"""

import json
import logging
import re
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, cast

from embeddings.word import MAX_WORD_LENGTH, MAX_WORDS, Word

log = logging.getLogger(__name__)

MODULE: Final = "embeddings.backends.reading.tesseract_process"
_ROOT: Final = Path(__file__).parents[3]
_START_S = 10
# Longer than the process lets the program run.
_ANSWER_S = 60
_DETECTION = "osd"
_RUNNING: "list[Tesseract]" = []


class Tesseract:
    """The process that runs Tesseract. Many threads may use it; it does one thing at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]", languages: frozenset[str]) -> None:
        self.languages = languages
        self._process: subprocess.Popen[bytes] | None = process
        self._lock = threading.Lock()

    def script_of(self, pixels: bytes, size: tuple[int, int]) -> str | None:
        """Return the English name of the script of a grey page, or None if there is too little text on it."""
        script = self._ask({"task": "script"}, pixels, size).get("script")
        return script if isinstance(script, str) and script.isalpha() else None

    def read(self, pixels: bytes, size: tuple[int, int], *, language: str) -> tuple[Word, ...]:
        """Return the words of a grey page in a language or script that is installed."""
        rows = self._ask({"task": "read", "language": language}, pixels, size).get("words", [])
        return tuple(
            Word(str(text)[:MAX_WORD_LENGTH], *(min(max(float(edge), 0.0), 1.0) for edge in edges))
            for text, *edges in rows[:MAX_WORDS]
        )

    def close(self) -> None:
        """End the process."""
        with self._lock:
            process = self._process
            self._give_up()
        if process is not None:
            process.wait(_ANSWER_S)

    def _ask(self, task: dict[str, Any], pixels: bytes, size: tuple[int, int]) -> dict[str, Any]:
        """Return the answer to a task; an empty one if there is none, as from a process that has ended."""
        with self._lock:
            if self._process is None:
                return {}
            header = json.dumps(task | {"width": size[0], "height": size[1]}).encode() + b"\n"
            to_process, from_process = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
            try:
                _write(to_process, header + pixels)
                return dict(json.loads(_line(from_process, time.monotonic() + _ANSWER_S)))
            except (OSError, ValueError, TimeoutError) as error:
                log.warning("Tesseract is not used any more: %s", error)
                self._give_up()
                return {}

    def _give_up(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError):
                cast("IO[bytes]", process.stdin).close()
                cast("IO[bytes]", process.stdout).close()


def running() -> Tesseract | None:
    """Return the process, if it was started."""
    return _RUNNING[-1] if _RUNNING else None


def start() -> Tesseract | None:
    """Start the process if Tesseract and its script detection are installed. Call this before confining the service."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    folder, languages = _installed(program)
    if _DETECTION not in languages:
        log.info("Tesseract is installed without script detection (osd), and not used.")
        return None
    command = [sys.executable, "-B", "-m", MODULE, program, folder]
    process = subprocess.Popen(
        command,
        bufsize=0,  # `select` sees what has arrived only if nothing is buffered
        cwd=_ROOT,
        env={"LC_ALL": "C.UTF-8"},  # not the API key, for example
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    _RUNNING.append(Tesseract(process, languages - {_DETECTION}))
    return _RUNNING[-1]


def _installed(program: str) -> tuple[str, frozenset[str]]:
    """Return the folder of Tesseract's data, and the languages and scripts in it."""
    command = [program, "--list-langs"]
    try:
        listed = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True, timeout=_START_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", frozenset()
    head, *languages = (listed.stdout or listed.stderr).splitlines() or [""]
    folder = re.search(r'"(.+)"', head)
    return (folder[1], frozenset(line.strip() for line in languages)) if folder else ("", frozenset())


def _write(stream: IO[bytes], data: bytes) -> None:
    """Write everything; an unbuffered stream may accept a part only."""
    remaining = memoryview(data)
    while remaining:
        remaining = remaining[stream.write(remaining) :]


def _line(stream: IO[bytes], deadline: float) -> bytes:
    """Read up to the end of a line; raise TimeoutError if it does not arrive in time."""
    line = bytearray()
    while not line.endswith(b"\n"):
        if not select.select([stream], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise TimeoutError("it does not answer")
        part = stream.read(65536)
        if not part:
            raise OSError("it has ended")
        line += part
    return bytes(line)


def words_of_tsv(table: str, size: tuple[int, int], *, least_confidence: float = 30) -> list[Sequence[str | float]]:
    """Return the words in Tesseract's table of results, each with its relative box."""
    words: list[Sequence[str | float]] = []
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) != 12 or not cells[11].strip() or float(cells[10]) < least_confidence:
            continue
        left, top, width, height = map(int, cells[6:10])
        edges = (left / size[0], top / size[1], (left + width) / size[0], (top + height) / size[1])
        words.append((cells[11].strip(), *(round(edge, 4) for edge in edges)))
    return words
