"""OCR of page images: words with a box each. Reads Latin and Greek letters, Chinese and Japanese."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from embeddings.backends.minilm import InvalidModelFile
from embeddings.backends.reading.lines import LineDetector
from embeddings.backends.reading.recogniser import Recogniser
from embeddings.contract import Word

# A4 at 150 dpi, at which six-point print is readable.
_MAX_SIDE = 1754
# Of lines with a lower mean probability, most characters are wrong.
_MIN_SCORE = 0.5

# A pixel that differs less from its neighbours is paper; a row or column with fewer marks contains only dust.
_MIN_CONTRAST = 16
_MIN_MARKS = 3
_MARGIN = 24


class OcrReader:
    """Reads pages. Many threads may use it."""

    def __init__(self) -> None:
        self._detector = LineDetector(_model_file("Det"))
        self._recogniser = Recogniser(_model_file("Rec"))

    def read(self, image: Image.Image) -> tuple[Word, ...]:
        """Return the words of a page, line by line in the order of detection."""
        scale = min(_MAX_SIDE / max(image.size), 1.0)
        page = (
            image.resize([max(round(side * scale), 1) for side in image.size], Image.Resampling.BOX)
            if scale < 1
            else image
        )
        area = printed_area(page)
        return tuple(self._words(page, area)) if area else ()

    def _words(self, page: Image.Image, area: tuple[int, int, int, int]) -> Iterator[Word]:
        lines = self._detector.find(np.ascontiguousarray(np.asarray(page.crop(area))[:, :, ::-1]))
        for line, reading in zip(lines, self._recogniser.read(lines), strict=True):
            if reading.score < _MIN_SCORE:
                continue
            for text, left, right in reading.words():
                x0, y0, x1, y1 = line.box(max(left, 0.0), min(right, float(line.pixels.shape[1])))
                yield _word(text, (x0 + area[0], y0 + area[1], x1 + area[0], y1 + area[1]), size=page.size)


def printed_area(page: Image.Image) -> tuple[int, int, int, int] | None:
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
