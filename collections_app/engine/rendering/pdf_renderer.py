"""Renders PDF pages, with their words. Runs in the child process only, because a file may make PDFium crash."""

import ctypes
import math
import mmap
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeAlias

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from collections_app.engine.rendering.errors import (
    FileDamaged,
    FileEncrypted,
    FileWithoutPages,
    PageTooLarge,
    TooManyPages,
)
from collections_app.engine.rendering.protocol import MAX_SIDE_PX, Job, RasterPage, fitting_scale
from collections_app.engine.text_rules import FORBIDDEN_IN_PAGE_TEXT, MAX_PAGE_CHARACTERS
from embeddings.word import Word
from paliapi.errors import Error

# The PDF specification allows 14,400; some programs write larger pages.
MAX_SIDE_PT = 50_000

_ERRORS: dict[int | None, type[Error]] = {
    pdfium.FPDF_ERR_PASSWORD: FileEncrypted,
    pdfium.FPDF_ERR_SECURITY: FileEncrypted,
    # PDFium's error for a valid file without pages.
    pdfium.FPDF_ERR_SUCCESS: FileWithoutPages,
}
_WORD = re.compile(r"\S+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_LETTER = "\0"  # keeps the position of a character that has no code; removed from the text of words
_Box: TypeAlias = tuple[float, float, float, float]
_BYTES_PER_PIXEL, _HUGE_PAGE = 4, 2 * 1024 * 1024
_GRID = 1_000_000  # units of a page's width and height, since PDFium returns integer positions
_STEPS = 100_000  # of the fractions that words are stored with
_UNITS_PER_STEP = _GRID / _STEPS


def render_pages(content: mmap.mmap, job: Job) -> tuple[int, Iterator[RasterPage]]:
    """Return the number of pages, and the pages from `job.first_page` on."""
    document = _open(content)
    total = len(document)
    if total == 0:
        raise FileWithoutPages
    if total > job.limits.max_pages:
        raise TooManyPages(f"The file has {total:,} pages; at most {job.limits.max_pages:,} are accepted.")
    return total, (_render_page(document, number, job) for number in range(job.first_page, total + 1))


def _open(content: mmap.mmap) -> pypdfium2.PdfDocument:
    buffer = (ctypes.c_ubyte * len(content)).from_buffer(content)
    try:
        document = pypdfium2.PdfDocument(buffer)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        raise _ERRORS.get(error.err_code, FileDamaged) from error
    return document


def _render_page(document: pypdfium2.PdfDocument, number: int, job: Job) -> RasterPage:
    try:
        scale = _scale(*document.get_page_size(number - 1), number=number, job=job)
        page = document[number - 1]
        # Four bytes per pixel, which is Pillow's own layout, so that nothing is copied.
        image = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=True, bitmap_maker=_new_bitmap).to_pil()
        text, words = _text_and_words(page)
        page.close()
    except pypdfium2.PdfiumError as error:
        raise FileDamaged(f"Page {number} of the file is damaged.") from error
    return RasterPage(image, text, words)


def _new_bitmap(width: int, height: int, **layout: Any) -> pypdfium2.PdfBitmap:
    """Return a bitmap for PDFium in memory of its own, which takes a page fault every two megabytes instead of 4 KB."""
    size = _BYTES_PER_PIXEL * width * height
    try:
        memory = mmap.mmap(-1, -(-size // _HUGE_PAGE) * _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError from error
    if size >= _HUGE_PAGE:
        with suppress(AttributeError, OSError):  # Linux only, and not on every kernel
            memory.madvise(mmap.MADV_HUGEPAGE)
    buffer = (ctypes.c_ubyte * size).from_buffer(memory)
    return pypdfium2.PdfBitmap.new_native(width, height, buffer=buffer, **layout)


def _scale(width: float, height: float, *, number: int, job: Job) -> float:
    """Return pixels per point. This is checked before rendering: a few bytes can describe a page of gigabytes."""
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise FileDamaged(f"Page {number} of the file has no valid size.")
    if max(width, height) > MAX_SIDE_PT:
        detail = f"Page {number} is {width:.0f} x {height:.0f} points; the limit is {MAX_SIDE_PT}."
        raise PageTooLarge(detail)
    scale = job.dpi / 72
    reduction = fitting_scale(width * scale, height * scale, megapixels=job.limits.megapixels)
    return min(scale * reduction, MAX_SIDE_PX / max(width, height))


def _text_and_words(page: pypdfium2.PdfPage) -> tuple[str, tuple[Word, ...]]:
    layer = page.get_textpage()
    count = min(layer.count_chars(), MAX_PAGE_CHARACTERS)
    text = layer.get_text_range(0, count) if count > 0 else ""
    words = tuple(_words(page, layer, count))
    layer.close()
    return _clean(text).strip(), words


def _words(page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, count: int) -> Iterator[Word]:
    """Yield the words of a page. Boxes are requested by word, because a call to PDFium per letter would be slow."""
    letters = _letters(layer, count)
    # Almost no page has such characters, and to look for them once is faster than in each word.
    is_clean = not (FORBIDDEN_IN_PAGE_TEXT.search(letters) or _SURROGATE.search(letters))
    transform, boxes = _PageTransform(page), _Boxes(layer)
    for match in _WORD.finditer(letters):
        text = match[0] if is_clean else _clean(_join_surrogates(match[0]))
        box = boxes.around(match.start(), match.end() - match.start())
        if text and box:
            yield transform.word(text, box)


def _letters(layer: pypdfium2.PdfTextPage, count: int) -> str:
    """Return exactly one character for each of PDFium's, so that positions in the text equal its indices."""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(layer, 0, count, buffer) - 1
    letters = bytes(buffer)[: 2 * max(0, written)].decode("utf-16-le", "surrogatepass")
    if written == count == len(letters) and not _SURROGATE.search(letters):
        return letters
    # A call for each takes much longer, but leaves none out and divides none in two.
    return "".join(_character(pdfium.FPDFText_GetUnicode(layer, index)) for index in range(count))


def _character(code: int) -> str:
    return chr(code) if 0 < code <= sys.maxunicode else _NO_LETTER


def _join_surrogates(text: str) -> str:
    """Join surrogate pairs, whose halves PDFium may return separately, and drop unpaired halves."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


class _Boxes:
    """The boxes around characters of a page, in points: left, bottom, right, top."""

    def __init__(self, layer: pypdfium2.PdfTextPage) -> None:
        self._layer = layer.raw
        # Created once, because a page has hundreds of words.
        self._sides = [ctypes.c_double() for _ in range(4)]
        self._pointers = [ctypes.byref(side) for side in self._sides]

    def around(self, start: int, count: int) -> _Box | None:
        """Return the box around `count` characters, or None if they have no position."""
        box: _Box | None = None
        left, top, right, bottom = self._sides
        for number in range(pdfium.FPDFText_CountRects(self._layer, start, count)):
            if pdfium.FPDFText_GetRect(self._layer, number, *self._pointers):
                part = (left.value, bottom.value, right.value, top.value)
                box = _union(box, part) if box else part
        return box


def _union(a: _Box, b: _Box) -> _Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


class _PageTransform:
    """Maps points of a page to fractions of the rendered image; PDFium accounts for rotation and crop box."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        # The mapping is affine, so three points define it.
        far = max(page.get_size())
        origin, right, top = (_to_device(page, *point) for point in ((0.0, 0.0), (far, 0.0), (0.0, far)))
        self._origin = origin
        self._x_axis = (right[0] - origin[0]) / far, (right[1] - origin[1]) / far
        self._y_axis = (top[0] - origin[0]) / far, (top[1] - origin[1]) / far

    def word(self, text: str, box: _Box) -> Word:
        left, bottom, right, top = box
        (x, y), (xx, xy), (yx, yy) = self._origin, self._x_axis, self._y_axis
        x0, x1 = x + left * xx + bottom * yx, x + right * xx + top * yx
        y0, y1 = y + left * xy + bottom * yy, y + right * xy + top * yy
        if x0 > x1:
            x0, x1 = x1, x0
        if y0 > y1:
            y0, y1 = y1, y0
        return Word(text, _fraction(x0), _fraction(y0), _fraction(x1), _fraction(y1))


def _to_device(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[int, int]:
    device_x, device_y = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, device_x, device_y)
    return device_x.value, device_y.value


def _fraction(units: float) -> float:
    """Return units of the grid as a fraction with five decimals; what is outside the page is moved to its edge."""
    if units <= 0.0:
        return 0.0
    # Faster than `round`, which is called for every side of every word.
    return 1.0 if units >= _GRID else int(units / _UNITS_PER_STEP + 0.5) / _STEPS


def _clean(text: str) -> str:
    """Remove characters that cannot be stored and PDFium's own markers, such as the one for a hyphenated word."""
    return FORBIDDEN_IN_PAGE_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
