"""Renders plain text as wrapped A4 pages, with its words. Runs in the child process only.

Markdown and CSV are rendered as written, so no other program is needed.
"""

import codecs
import io
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from collections_app.engine.rendering.errors import FileDamaged, TooManyPages
from collections_app.engine.rendering.protocol import Job, RasterPage, fitting_scale
from embeddings.word import Word

# In points.
_PAGE_SIZE = (595.0, 842.0)
_MARGIN = 48.0
_FONT_SIZE = 10.5
_LINE_HEIGHT = 14.0

# The first font that has a letter draws it. Pillow's own font comes last and has little beyond the Latin alphabet.
_FONTS = (
    "DejaVuSansMono.ttf",
    "LiberationMono-Regular.ttf",
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
)
_MISSING_LETTER = "\U0010fffd"  # a private character, which every font draws as its box for missing letters
_CHUNK = 64 * 1024
_MAX_LINE_LENGTH = 100_000
_PIECES = re.compile(r"\s+|\S+")
_WORDS = re.compile(r"\S+")

_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def render_pages(content: mmap.mmap, job: Job) -> tuple[int, Iterator[RasterPage]]:
    """Return the number of pages that the text fills, and the pages from `job.first_page` on."""
    sheet = _Sheet.for_job(job)
    letters = _Letters(sheet.font_px)
    pages: list[list[str]] = []
    for rows in _paginate(content, sheet, letters):
        if len(pages) == job.limits.max_pages:
            raise TooManyPages(f"The text fills more than {job.limits.max_pages:,} pages, which is the limit.")
        pages.append(rows)
    return len(pages), (_render_page(rows, sheet, letters) for rows in pages[job.first_page - 1 :])


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The dimensions of a page in pixels."""

    width: int
    height: int
    margin: float
    font_px: float
    line_height: float

    @classmethod
    def for_job(cls, job: Job) -> "_Sheet":
        scale = job.dpi / 72
        width, height = (side * scale for side in _PAGE_SIZE)
        scale *= fitting_scale(width, height, megapixels=job.limits.megapixels)
        width, height = (side * scale for side in _PAGE_SIZE)
        return cls(round(width), round(height), _MARGIN * scale, _FONT_SIZE * scale, _LINE_HEIGHT * scale)

    def rows(self) -> int:
        return int((self.height - 2 * self.margin) / self.line_height)


class _Letters(dict[str, float]):
    """The width of each letter, measured on first use, and the font that has it."""

    def __init__(self, size_px: float) -> None:
        super().__init__()
        self._fonts = list(_load_fonts(size_px))
        self._missing = [_glyph(font, _MISSING_LETTER) for font in self._fonts]
        self._font_of: dict[str, _Font] = {}

    def __missing__(self, letter: str) -> float:
        candidates = zip(self._fonts, self._missing, strict=True)
        font = next((font for font, missing in candidates if _glyph(font, letter) != missing), self._fonts[0])
        self._font_of[letter] = font
        self[letter] = width = font.getlength(letter)
        return width

    def width(self, text: str) -> float:
        return sum(map(self.__getitem__, text))

    def draw(self, canvas: ImageDraw.ImageDraw, position: tuple[float, float], text: str) -> None:
        """Draw the text, each run of letters of the same font at once."""
        left, top = position
        start = 0
        for end in range(1, len(text) + 1):
            if end == len(text) or self._font_of[text[end]] is not self._font_of[text[start]]:
                canvas.text((left, top), text[start:end], fill="black", font=self._font_of[text[start]])
                left += self.width(text[start:end])
                start = end


def _load_fonts(size_px: float) -> Iterator[_Font]:
    for name in _FONTS:
        try:
            yield ImageFont.truetype(name, size_px)
        except OSError:
            continue  # not installed
    yield ImageFont.load_default(size_px)


def _glyph(font: _Font, letter: str) -> bytes:
    return bytes(font.getmask(letter))


def _paginate(content: mmap.mmap, sheet: _Sheet, letters: _Letters) -> Iterator[list[str]]:
    page: list[str] = []
    for line in _lines(content):
        for number, part in enumerate(line.split("\f")):
            if number:  # a form feed starts a new page
                yield page
                page = []
            for row in _wrap(part.expandtabs(4).rstrip(), letters, width=sheet.width - 2 * sheet.margin):
                if len(page) == sheet.rows():
                    yield page
                    page = []
                page.append(row)
    yield page


def _lines(content: mmap.mmap) -> Iterator[str]:
    """Yield the lines of the file. A line without end is cut, so that memory stays bounded."""
    utf16 = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")(), translate=True
    )
    rest = ""
    try:
        for start in range(0, len(content), _CHUNK):
            chunk = content[start : start + _CHUNK]
            *lines, rest = (rest + decoder.decode(chunk, final=start + _CHUNK >= len(content))).split("\n")
            yield from lines
            if len(rest) > _MAX_LINE_LENGTH:
                yield rest
                rest = ""
    except UnicodeDecodeError as error:
        raise FileDamaged from error
    if rest:
        yield rest


def _wrap(line: str, letters: _Letters, *, width: float) -> Iterator[str]:
    """Split a line into rows. Spaces at a row break are dropped."""
    if letters.width(line) <= width:
        yield line
        return
    row, used, first = "", 0.0, True
    for piece in _pieces(line, letters, width=width):
        size = letters.width(piece)
        if used + size > width and row.strip():
            yield row.rstrip()
            row, used, first = "", 0.0, False
        if row or first or not piece.isspace():
            row, used = row + piece, used + size
    if row.strip():
        yield row.rstrip()


def _pieces(line: str, letters: _Letters, *, width: float) -> Iterator[str]:
    """Yield words and the spaces between them; words wider than a row are cut."""
    for piece in _PIECES.findall(line):
        start, used = 0, 0.0
        for index, letter in enumerate(piece):
            used += letters[letter]
            if used > width and index > start:
                yield piece[start:index]
                start, used = index, letters[letter]
        yield piece[start:]


def _render_page(rows: list[str], sheet: _Sheet, letters: _Letters) -> RasterPage:
    image = Image.new("L", (sheet.width, sheet.height), "white")
    canvas = ImageDraw.Draw(image)
    words: list[Word] = []
    for number, row in enumerate(rows):
        top = sheet.margin + number * sheet.line_height
        letters.draw(canvas, (sheet.margin, top), row)
        words.extend(_words(row, top, sheet, letters))
    return RasterPage(image.convert("RGB"), "\n".join(rows).strip(), tuple(words))


def _words(row: str, top: float, sheet: _Sheet, letters: _Letters) -> Iterator[Word]:
    measured, left = 0, sheet.margin
    for match in _WORDS.finditer(row):
        left += letters.width(row[measured : match.start()])
        right = left + letters.width(match[0])
        yield Word(
            match[0],
            round(left / sheet.width, 5),
            round(top / sheet.height, 5),
            round(min(right / sheet.width, 1.0), 5),
            round((top + sheet.line_height) / sheet.height, 5),
        )
        measured, left = match.end(), right
