"""PDF pages as pictures, with their words. Runs in the child process only: PDFium may crash it."""

import ctypes
import math
import mmap
import re
import sys
from collections.abc import Iterator
from typing import TypeAlias

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from collections_app.engine.rendering.errors import (
    FileDamaged,
    FileEncrypted,
    FileWithoutPages,
    PageTooLarge,
    TooManyPages,
)
from collections_app.engine.rendering.protocol import MAX_SIDE_PX, DrawnPage, Job, fitting_scale
from collections_app.engine.text_rules import FORBIDDEN_IN_PAGE_TEXT, MAX_PAGE_CHARACTERS
from embeddings.word import Word
from paliapi.errors import Error

# PDF itself ends at 14,400; some makers go on a little.
MAX_SIDE_PT = 50_000

_REASONS: dict[int | None, type[Error]] = {
    pdfium.FPDF_ERR_PASSWORD: FileEncrypted,
    pdfium.FPDF_ERR_SECURITY: FileEncrypted,
    # What PDFium says when all is well, but there is no page.
    pdfium.FPDF_ERR_SUCCESS: FileWithoutPages,
}
_WORD = re.compile(r"\S+")
_NO_LETTER = "\0"  # not in a word's text, but in its place
_Box: TypeAlias = tuple[float, float, float, float]
_GRID = 1_000_000  # words are placed on a page of as many units, since PDFium answers in whole ones


def count_and_draw(content: mmap.mmap, job: Job) -> tuple[int, Iterator[DrawnPage]]:
    """How many pages there are, and the pages from the first that is wanted."""
    document = _opened(content)
    total = len(document)
    if total == 0:
        raise FileWithoutPages
    if total > job.limits.max_pages:
        raise TooManyPages(f"The file has {total:,} pages; at most {job.limits.max_pages:,} are accepted.")
    return total, (_drawn(document, number, job) for number in range(job.first_page, total + 1))


def _opened(content: mmap.mmap) -> pypdfium2.PdfDocument:
    whole = (ctypes.c_ubyte * len(content)).from_buffer(content)
    try:
        document = pypdfium2.PdfDocument(whole)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        raise _REASONS.get(error.err_code, FileDamaged) from error
    return document


def _drawn(document: pypdfium2.PdfDocument, number: int, job: Job) -> DrawnPage:
    try:
        scale = _scale(*document.get_page_size(number - 1), number=number, job=job)
        page = document[number - 1]
        # With a fourth byte for each pixel, because that is how Pillow keeps them: nothing is copied.
        image = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=True).to_pil()
        text, words = _text_and_words(page)
        page.close()
    except pypdfium2.PdfiumError as error:
        raise FileDamaged(f"Page {number} of the file is damaged.") from error
    return DrawnPage(image, text, words)


def _scale(width: float, height: float, *, number: int, job: Job) -> float:
    """Pixels for each point. This comes before drawing: a few bytes can ask for a page of gigabytes."""
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise FileDamaged(f"Page {number} of the file has no size.")
    if max(width, height) > MAX_SIDE_PT:
        detail = f"Page {number} is {width:.0f} x {height:.0f} points; at most {MAX_SIDE_PT} are drawn."
        raise PageTooLarge(detail)
    scale = job.dpi / 72
    fitting = fitting_scale(width * scale, height * scale, megapixels=job.limits.megapixels)
    return min(scale * fitting, MAX_SIDE_PX / max(width, height))


def _text_and_words(page: pypdfium2.PdfPage) -> tuple[str, tuple[Word, ...]]:
    layer = page.get_textpage()
    count = min(layer.count_chars(), MAX_PAGE_CHARACTERS)
    text = layer.get_text_range(0, count) if count > 0 else ""
    words = tuple(_words(page, layer, count))
    layer.close()
    return _clean(text).strip(), words


def _words(page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, count: int) -> Iterator[Word]:
    """A page has thousands of letters, and each question to PDFium takes its time: boxes are asked for by the word."""
    letters = "".join(_letter(pdfium.FPDFText_GetUnicode(layer, place)) for place in range(count))
    place = _Place(page)
    for found in _WORD.finditer(letters):
        text = _clean(_whole(found[0]))
        box = _box(layer, found.start(), found.end() - found.start())
        if text and box:
            yield place.word(text, box)


def _letter(code: int) -> str:
    """Always one, so that its place stays its number."""
    return chr(code) if 0 < code <= sys.maxunicode else _NO_LETTER


def _whole(text: str) -> str:
    """With halves of surrogate pairs joined; PDFium may give them one by one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _box(layer: pypdfium2.PdfTextPage, start: int, count: int) -> _Box | None:
    """Around so many letters, in points of the page: left, bottom, right, top. None where they are nowhere."""
    sides = left, top, right, bottom = [ctypes.c_double() for _ in range(4)]
    found: _Box | None = None
    for number in range(pdfium.FPDFText_CountRects(layer, start, count)):
        if pdfium.FPDFText_GetRect(layer, number, *sides):
            one = (left.value, bottom.value, right.value, top.value)
            found = _around(found, one) if found else one
    return found


def _around(one: _Box, other: _Box) -> _Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


class _Place:
    """Where a point of a page is seen, as parts of its width and height: PDFium knows of rotation and crop."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        # It is seen turned, moved and stretched, no more, so three points say all.
        far = max(page.get_size())
        here, right, up = (_seen(page, *point) for point in ((0.0, 0.0), (far, 0.0), (0.0, far)))
        self._origin = here
        self._across = (right[0] - here[0]) / far, (right[1] - here[1]) / far
        self._up = (up[0] - here[0]) / far, (up[1] - here[1]) / far

    def word(self, text: str, box: _Box) -> Word:
        x0, y0 = self._of(box[0], box[1])
        x1, y1 = self._of(box[2], box[3])
        return Word(text, _part(min(x0, x1)), _part(min(y0, y1)), _part(max(x0, x1)), _part(max(y0, y1)))

    def _of(self, x: float, y: float) -> tuple[float, float]:
        (left, top), across, up = self._origin, self._across, self._up
        return left + x * across[0] + y * up[0], top + x * across[1] + y * up[1]


def _seen(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, across, down)
    return across.value, down.value


def _part(units: float) -> float:
    return round(min(max(units / _GRID, 0.0), 1.0), 5)


def _clean(text: str) -> str:
    """Without what no database keeps and without marks of PDFium's own, such as the one for a broken word."""
    return FORBIDDEN_IN_PAGE_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
