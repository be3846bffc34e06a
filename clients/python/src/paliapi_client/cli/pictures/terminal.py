"""What the terminal can draw: it is asked, because its environment variables may be those of another one."""

import contextlib
import os
import re
import select
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.pictures.encodings import Protocol
from paliapi_client.cli.pictures.picture import DEFAULT_CELL

VARIABLE = "PALI_PICTURES"
CHOICES: tuple[str, ...] = ("auto", "kitty", "iterm2", "sixel", "off")

# Terminals that draw by iTerm2's protocol, which has no question that all of them answer.
_ITERM2_PROGRAMS = {"iTerm.app", "WezTerm", "mintty", "Tabby", "Hyper"}
# They show questions that they do not understand.
_WITHOUT_IMAGES = {"dumb", "linux", "vt100"}
_ANSWER_WITHIN_S = 0.5
_MAX_ANSWER = 4096

# Can you draw an image of one pixel by kitty's protocol? How large are your cells? What are your attributes?
# Every terminal answers the last, so no answer to the others is known without waiting.
_QUESTIONS = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[16t\x1b[c"
# Whatever a terminal showed of them disappears.
_CLEAR_LINE = b"\r\x1b[K"
_KITTY_ANSWER = re.compile(rb"\x1b_G[^\x1b]*i=31[^\x1b]*;OK\x1b\\")
_CELL_ANSWER = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_ATTRIBUTES_ANSWER = re.compile(rb"\x1b\[\?([\d;]{1,100})c")
_SIXEL_ATTRIBUTE = b"4"


@dataclass(frozen=True, slots=True)
class Ability:
    """How a terminal draws, and the pixels of one of its cells."""

    protocol: Protocol
    cell: tuple[int, int] = DEFAULT_CELL


def ability(output: TextIO, *, environ: Mapping[str, str] = os.environ) -> Ability | None:
    """Return how the terminal draws images; None if it does not, or if the output is no terminal."""
    choice = environ.get(VARIABLE, "") or "auto"
    if choice not in CHOICES:
        raise Complaint("pictures_invalid", f"{VARIABLE} must be one of {', '.join(CHOICES)}.")
    if choice == "off" or not output.isatty():
        return None
    if choice != "auto":
        protocol: Protocol = "kitty" if choice == "kitty" else "iterm2" if choice == "iterm2" else "sixel"
        return Ability(protocol, _cell_by_window_size(output.fileno()) or DEFAULT_CELL)
    if environ.get("TERM", "dumb") in _WITHOUT_IMAGES or environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return None
    answer = _asked()
    cell = _cell(answer) or _cell_by_window_size(output.fileno()) or DEFAULT_CELL
    if _KITTY_ANSWER.search(answer):
        return Ability("kitty", cell)
    inside_multiplexer = "TMUX" in environ or environ.get("TERM", "").startswith(("screen", "tmux"))
    if environ.get("TERM_PROGRAM") in _ITERM2_PROGRAMS and not inside_multiplexer:
        return Ability("iterm2", cell)
    attributes = _ATTRIBUTES_ANSWER.search(answer)
    if attributes and _SIXEL_ATTRIBUTE in attributes[1].split(b";")[1:]:
        return Ability("sixel", cell)
    return None


def _cell(answer: bytes) -> tuple[int, int] | None:
    match = _CELL_ANSWER.search(answer)
    return _plausible(int(match[2]), int(match[1])) if match else None


def _plausible(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if 2 <= width <= 200 and 2 <= height <= 400 else None


def _cell_by_window_size(descriptor: int) -> tuple[int, int] | None:
    if sys.platform == "win32":
        return None
    import fcntl  # noqa: PLC0415  (does not exist on Windows)
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    try:
        size = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    rows, columns, width, height = struct.unpack("HHHH", size)
    return _plausible(width // columns, height // rows) if rows and columns else None


def _asked() -> bytes:
    """Return what the terminal answers to the questions; nothing if there is no terminal to ask."""
    if sys.platform == "win32":
        return b""
    with contextlib.suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        try:
            with _without_echo(terminal):
                os.write(terminal, _QUESTIONS)
                answer = _answer(terminal)
                os.write(terminal, _CLEAR_LINE)
                return answer
        finally:
            os.close(terminal)
    return b""


def _answer(terminal: int) -> bytes:
    answer = b""
    deadline = time.monotonic() + _ANSWER_WITHIN_S
    while len(answer) < _MAX_ANSWER and not _ATTRIBUTES_ANSWER.search(answer):
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not select.select([terminal], [], [], remaining)[0]:
            break
        chunk = os.read(terminal, _MAX_ANSWER)
        if not chunk:
            break
        answer += chunk
    return answer


@contextlib.contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """Read what the terminal sends as it arrives, without showing it; restore the settings afterwards."""
    if sys.platform == "win32":
        yield
        return
    import termios  # noqa: PLC0415

    try:
        before = termios.tcgetattr(terminal)
    except termios.error as error:
        raise OSError(*error.args) from error
    quiet = [*before]
    quiet[3] &= ~(termios.ICANON | termios.ECHO)
    try:
        termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
        yield
    finally:
        # What arrives too late must not appear on the next command line.
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
