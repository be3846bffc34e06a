"""OCR of page images: words with a box each. Reads Latin and Greek letters, Chinese and Japanese."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from embeddings.backends.minilm import InvalidModelFile
from embeddings.backends.reading.lines import Line, LineDetector
from embeddings.backends.reading.recogniser import Reading, Recogniser
from embeddings.backends.reading.tesseract import Tesseract
from embeddings.contract import Word

# A4 at 150 dpi, at which six-point print is readable.
_MAX_SIDE = 1754
# Of lines with a lower mean probability, most characters are wrong.
_MIN_SCORE = 0.5
# Lines in a script that the recogniser does not know have a lower one, or few characters, because it skips others.
_LEGIBLE = 0.85
_LEAST_CHARACTERS = 0.45  # for each square as high as the text; Latin letters are half as wide
_LEAST_UNREAD_LINES = 3
UNKNOWN = "unknown"
# By Tesseract's names. What could not be read is handwriting, for example.
_READ_SCRIPTS = frozenset({"Latin", "Greek", "Han", "HanS", "HanT", "Japanese", "Katakana", "Hiragana"})
Area: TypeAlias = tuple[int, int, int, int]

# A pixel that differs less from its neighbours is paper; a row or column with fewer marks contains only dust.
_MIN_CONTRAST = 16
_MIN_MARKS = 3
_MARGIN = 24


@dataclass(frozen=True, slots=True)
class PageText:
    """The words of a page, line by line, and the script of text that could not be read: empty, a name, or `unknown`."""

    words: tuple[Word, ...] = ()
    unread_script: str = ""


class OcrReader:
    """Reads pages. Many threads may use it."""

    def __init__(self, tesseract: Tesseract | None = None) -> None:
        self._tesseract = tesseract
        self._detector = LineDetector(_model_file("Det"))
        self._recogniser = Recogniser(_model_file("Rec"))

    def read(self, image: Image.Image) -> tuple[Word, ...]:
        """Return the words of a page, line by line in the order of detection."""
        return self.read_page(image).words

    def read_page(self, image: Image.Image) -> PageText:
        """Return the words of a page, and whether there are others."""
        scale = min(_MAX_SIDE / max(image.size), 1.0)
        size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
        page = image.resize(size, Image.Resampling.BOX) if scale < 1 else image
        area = printed_area(page)
        if area is None:
            return PageText()
        lines = self._detector.find(np.ascontiguousarray(np.asarray(page.crop(area))[:, :, ::-1]))
        readings = self._recogniser.read(lines)
        words = tuple(_words(lines, readings, area, size))
        return self._other_script(page, words) if _is_other_script(lines, readings) else PageText(words)

    def _other_script(self, page: Image.Image, words: tuple[Word, ...]) -> PageText:
        """Return what Tesseract reads on a page of which most lines could not be read."""
        if self._tesseract is None:
            return PageText(words, UNKNOWN)
        pixels = page.convert("L").tobytes()
        script = self._tesseract.script_of(pixels, page.size)
        if script is None or script in _READ_SCRIPTS:
            return PageText(words, UNKNOWN)
        others = self._tesseract.read(pixels, page.size, language=script) if script in self._tesseract.languages else ()
        return PageText(others) if others else PageText(words, script)


def _words(lines: Sequence[Line], readings: Sequence[Reading], area: Area, size: tuple[int, int]) -> Iterator[Word]:
    for line, reading in zip(lines, readings, strict=True):
        if reading.score < _MIN_SCORE:
            continue
        for text, left, right in reading.words():
            x0, y0, x1, y1 = line.box(max(left, 0.0), min(right, float(line.pixels.shape[1])))
            yield _word(text, (x0 + area[0], y0 + area[1], x1 + area[0], y1 + area[1]), size=size)


def _is_other_script(lines: Sequence[Line], readings: Sequence[Reading]) -> bool:
    """Return whether most lines are unreadable; those of few pixels, of photographs for example, do not count."""
    widths = np.array([line.pixels.shape[1] for line in lines])
    unread = np.array([not _is_legible(*one) for one in zip(lines, readings, strict=True)], dtype=bool)
    return int(unread.sum()) >= _LEAST_UNREAD_LINES and bool(widths[unread].sum() > widths.sum() / 2)


def _is_legible(line: Line, reading: Reading) -> bool:
    """Return whether the characters are likely, and as many as fit on the line."""
    characters = sum(not character.isspace() for character in reading.characters)
    fitting = line.pixels.shape[1] / line.text.height
    return reading.score >= _LEGIBLE and characters >= _LEAST_CHARACTERS * fitting


def printed_area(page: Image.Image) -> Area | None:
    """Return the box of everything printed, with a margin, or None if the page is empty. OCR is limited to it."""
    # Halving the size evens out the grain of a scan.
    grey = np.asarray(page.convert("L").reduce(2), dtype=np.int16)
    marks = np.zeros(grey.shape, dtype=bool)
    marks[:, 1:] |= np.abs(np.diff(grey, axis=1)) > _MIN_CONTRAST
    marks[1:] |= np.abs(np.diff(grey, axis=0)) > _MIN_CONTRAST
    columns, rows = (np.flatnonzero(marks.sum(axis=axis) >= _MIN_MARKS) for axis in (0, 1))
    if not (len(columns) and len(rows)):
        return None
    left, top = (max(2 * int(positions[0]) - _MARGIN, 0) for positions in (columns, rows))
    right, bottom = (2 * int(positions[-1] + 1) + _MARGIN for positions in (columns, rows))
    return left, top, min(right, page.width), min(bottom, page.height)


def _model_file(part: str) -> Path:
    """Return the path of an installed model; models given by path are never downloaded."""
    spec = find_spec("rapidocr")
    folder = Path(spec.submodule_search_locations[0]) / "models" if spec and spec.submodule_search_locations else Path()
    file = folder / f"PP-OCRv6_{part.lower()}_small.onnx"
    if not file.is_file():
        raise InvalidModelFile(f"{file.name} is missing: install the dependency group `embeddings`.")
    return file


def _word(text: str, box: tuple[float, float, float, float], *, size: tuple[int, int]) -> Word:
    relative = (edge / side for edge, side in zip(box, (*size, *size), strict=True))
    return Word(text, *(round(min(max(edge, 0.0), 1.0), 4) for edge in relative))
