"""Detects the lines of a page and cuts them out, upright, on a copy of the page as small as its letters permit."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidocr.ch_ppocr_det.main import TextDetector
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from embeddings.backends.onnx_model import open_session

Pixels = NDArray[Any]  # of bytes; OpenCV does not state its types more exactly
Floats = NDArray[np.float32]

# The detector finds lines in which a small letter has this height. No page is detected on a larger copy.
_SMALL_LETTER = 6.0
_MAX_SIDE = 1170
_MIN_SCALE = 0.3
# Marks that differ from their surroundings by so much of the strongest ink are letters, unless there are few of them.
_INK_SHARE = 0.4
_MIN_INK = 24
_MIN_LETTERS = 12
_MULTIPLE = 32
# Rows of the body of small letters have this share of the ink of the fullest row. Ascenders and descenders are at most
# this share of the body.
_BODY_SHARE = 0.4
_LARGEST_REACH = 0.5
_LEAST_HEIGHT = 1.5


class TextRows(NamedTuple):
    """The first row of a text, the one after its last, and the height of its font.

    If letters such as `b` and `p` are missing, the font is higher than the text.
    """

    top: int
    bottom: int
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line: its pixels, the rows of the text in them, and the map to the page."""

    pixels: Pixels
    text: TextRows
    to_page: NDArray[Any]

    def box(self, left: float, right: float) -> tuple[float, float, float, float]:
        """Return the box on the page of the part of the line between two columns."""
        rows = self.text[:2]
        corners = np.array([[[column, row]] for column in (left, right) for row in rows], dtype=np.float64)
        on_page = cv2.perspectiveTransform(corners, self.to_page)[:, 0]
        (x0, y0), (x1, y1) = on_page.min(axis=0), on_page.max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)


class LineDetector:
    """Runs the detector. Many threads may use it."""

    def __init__(self, file: Path) -> None:
        self._session = open_session(file)
        self._boxes = DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True)

    def find(self, page: Pixels) -> list[Line]:
        """Return the lines of a page (height, width, 3), from top to bottom and from left to right."""
        probabilities = self._session.run(None, {"x": _input(page, detection_scale(page))})[0]
        quads, _ = self._boxes(probabilities, page.shape[:2])
        return list(_lines(page, TextDetector.sorted_boxes(quads))) if len(quads) else []


def detection_scale(page: Pixels) -> float:
    """Return the factor by which the page can be reduced and its smallest letters still be detected."""
    largest = float(min(_MAX_SIDE / max(page.shape[:2]), 1.0))
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    difference = cv2.absdiff(half, cv2.blur(half, (31, 31)))
    threshold = max(_MIN_INK, _INK_SHARE * float(np.percentile(difference[::2, ::2], 99.5)))
    marks = (difference > threshold).astype(np.uint8)
    _, _, sizes, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    heights = sizes[1:, cv2.CC_STAT_HEIGHT][(sizes[1:, cv2.CC_STAT_AREA] >= 6) & (sizes[1:, cv2.CC_STAT_HEIGHT] >= 3)]
    if len(heights) < _MIN_LETTERS:
        return largest
    # Not the very lowest, which are dots and commas.
    small_letter = 2 * float(np.percentile(heights, 15))
    return float(np.clip(_SMALL_LETTER / small_letter, min(_MIN_SCALE, largest), largest))


def _input(page: Pixels, scale: float) -> Floats:
    sides = [max(round(side * scale / _MULTIPLE), 1) * _MULTIPLE for side in page.shape[:2]]
    resized = cv2.resize(page, (sides[1], sides[0]), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.ascontiguousarray(resized.transpose(2, 0, 1)[None], dtype=np.float32) / 127.5 - 1


def _lines(page: Pixels, quads: NDArray[Any]) -> Iterator[Line]:
    for quad in quads.astype(np.float32):
        corners = quad
        width, height = (max(_length(quad, *first), _length(quad, *second)) for first, second in _SIDES)
        if height >= 1.5 * width:
            # A vertical line is turned counter-clockwise: its right edge becomes the top.
            corners, width, height = np.roll(quad, -1, axis=0), height, width
        if width < 1 or height < 1:
            continue
        upright = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        to_line = cv2.getPerspectiveTransform(corners, upright)
        pixels = cv2.warpPerspective(page, to_line, (width, height), borderMode=cv2.BORDER_REPLICATE)
        yield Line(pixels, text_rows(pixels), np.linalg.inv(to_line))


# The corners at the ends of the horizontal sides of a quadrilateral, and of the vertical ones.
_SIDES = (((0, 1), (3, 2)), ((0, 3), (1, 2)))


def _length(quad: Floats, first: int, second: int) -> int:
    return int(np.linalg.norm(quad[first] - quad[second]))


def text_rows(line: Pixels) -> TextRows:
    """Return the rows of the text, without what shows of the lines above and below."""
    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY).astype(np.float32)
    difference = np.abs(grey - np.median(grey))
    ink = (difference > _INK_SHARE * np.percentile(difference, 98)).sum(axis=1)
    quarter = len(line) // 4
    middle = quarter + int(np.argmax(ink[quarter : len(line) - quarter]))
    # Small letters have a body, which has most of the ink, and ascenders and descenders of about a quarter each.
    body_top, body_bottom = _run(ink >= _BODY_SHARE * ink[middle], middle)
    body = body_bottom - body_top
    reach = int(np.ceil(_LARGEST_REACH * body))
    top, bottom = _run(ink >= max(2, 0.01 * float(ink[middle])), middle)
    top, bottom = max(top, body_top - reach), min(bottom, body_bottom + reach)
    return TextRows(top, bottom, max(bottom - top, _LEAST_HEIGHT * body))


def _run(rows: NDArray[np.bool_], middle: int) -> tuple[int, int]:
    """Return the run of such rows around the middle; short gaps, as between letters and their accents, do not count."""
    gap = np.ones((3 + 2 * (len(rows) // 32), 1), dtype=np.uint8)
    closed = cv2.morphologyEx(np.pad(rows.astype(np.uint8), 8)[:, None], cv2.MORPH_CLOSE, gap)[8:-8, 0]
    blank = np.flatnonzero(closed == 0)
    return int(blank[blank < middle].max(initial=-1)) + 1, int(blank[blank > middle].min(initial=len(rows)))
