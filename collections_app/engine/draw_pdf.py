"""PDF pages as pictures, with their words. Runs in the child process only: PDFium may crash it."""

import ctypes
import math
import mmap
import re
import sys
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from collections_app.engine.pages import MAX_SIDE_PX, DrawnPage, Job, Word, fitting_scale
from collections_app.errors import FileDamaged, FileEncrypted, FileWithoutPages, PageTooLarge, TooManyPages
from paliapi.errors import Error

# PDF itself ends at 14,400; some makers go on a little.
MAX_SIDE_PT = 50_000
MAX_CHARACTERS = 200_000

_REASONS: dict[int | None, type[Error]] = {
    pdfium.FPDF_ERR_PASSWORD: FileEncrypted,
    pdfium.FPDF_ERR_SECURITY: FileEncrypted,
    # What PDFium says when all is well, but there is no page.
    pdfium.FPDF_ERR_SUCCESS: FileWithoutPages,
}
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
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
    count = min(layer.count_chars(), MAX_CHARACTERS)
    text = layer.get_text_range(0, count) if count > 0 else ""
    words = tuple(_words(page, layer, count))
    layer.close()
    return _clean(text).strip(), words


def _words(page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, count: int) -> Iterator[Word]:
    letters: list[str] = []
    box = _Box()
    # One set of numbers for all letters: PDFium fills it, and pages have thousands.
    left, right, bottom, top = sides = [ctypes.c_double() for _ in range(4)]
    for place in range(count):
        code = pdfium.FPDFText_GetUnicode(layer, place)
        letter = chr(code) if code <= sys.maxunicode else ""
        if not letter.isspace():
            letters.append(letter)
            if pdfium.FPDFText_GetCharBox(layer, place, *sides):
                box.include(left.value, bottom.value, right.value, top.value)
        if letter.isspace() or place == count - 1:
            text = _clean(_whole("".join(letters)))
            if text and box.left <= box.right:
                yield box.word(text, page)
            letters, box = [], _Box()


def _whole(text: str) -> str:
    """With halves of surrogate pairs joined; PDFium may give them one by one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


class _Box:
    """Grows around the letters of a word, in points of the page."""

    def __init__(self) -> None:
        self.left = self.bottom = math.inf
        self.right = self.top = -math.inf

    def include(self, left: float, bottom: float, right: float, top: float) -> None:
        self.left, self.bottom = min(self.left, left), min(self.bottom, bottom)
        self.right, self.top = max(self.right, right), max(self.top, top)

    def word(self, text: str, page: pypdfium2.PdfPage) -> Word:
        """The box as it is seen: PDFium knows of rotation and crop."""
        corners = [_seen(page, self.left, self.bottom), _seen(page, self.right, self.top)]
        (left, right), (top, bottom) = (sorted(sides) for sides in zip(*corners, strict=True))
        return Word(text, left, top, right, bottom)


def _seen(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[float, float]:
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, across, down)
    return _part(across.value), _part(down.value)


def _part(units: int) -> float:
    return round(min(max(units / _GRID, 0.0), 1.0), 5)


def _clean(text: str) -> str:
    """Without what no database keeps and without marks of PDFium's own, such as the one for a broken word."""
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
