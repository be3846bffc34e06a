"""Plain text as pages: A4, wrapped, with its words. Runs in the child process only.

No other program is needed, and none would do better: what is drawn is the text as it stands, Markdown and CSV included.
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
from collections_app.engine.rendering.protocol import DrawnPage, Job, fitting_scale
from embeddings.word import Word

# In points.
_PAGE = (595.0, 842.0)
_MARGIN = 48.0
_LETTERS = 10.5
_LINE = 14.0

# The first that has a letter draws it. The last comes with Pillow and knows little more than English.
_FONTS = (
    "DejaVuSansMono.ttf",
    "LiberationMono-Regular.ttf",
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
)
_NO_LETTER = "\U0010fffd"
_CHUNK = 64 * 1024
_LONGEST_LINE = 100_000
_PIECES = re.compile(r"\s+|\S+")
_WORDS = re.compile(r"\S+")

_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def count_and_draw(content: mmap.mmap, job: Job) -> tuple[int, Iterator[DrawnPage]]:
    """How many pages the text fills, and the pages from the first that is wanted."""
    sheet = _Sheet.of(job)
    letters = _Letters(sheet.letters_px)
    pages: list[list[str]] = []
    for page in _pages(content, sheet, letters):
        if len(pages) == job.limits.max_pages:
            raise TooManyPages(f"The text fills more pages than the {job.limits.max_pages:,} that are accepted.")
        pages.append(page)
    return len(pages), (_drawn(page, sheet, letters) for page in pages[job.first_page - 1 :])


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page in pixels."""

    width: int
    height: int
    margin: float
    letters_px: float
    line: float

    @classmethod
    def of(cls, job: Job) -> "_Sheet":
        scale = job.dpi / 72
        width, height = (side * scale for side in _PAGE)
        scale *= fitting_scale(width, height, megapixels=job.limits.megapixels)
        width, height = (side * scale for side in _PAGE)
        return cls(round(width), round(height), _MARGIN * scale, _LETTERS * scale, _LINE * scale)

    def lines(self) -> int:
        return int((self.height - 2 * self.margin) / self.line)


class _Letters(dict[str, float]):
    """How wide each letter is, found when it is first asked for, and the font that has it."""

    def __init__(self, size_px: float) -> None:
        super().__init__()
        self._fonts = list(_fonts(size_px))
        self._unknown = [_look(font, _NO_LETTER) for font in self._fonts]
        self._font_of: dict[str, _Font] = {}

    def __missing__(self, letter: str) -> float:
        choice = zip(self._fonts, self._unknown, strict=True)
        font = next((font for font, unknown in choice if _look(font, letter) != unknown), self._fonts[0])
        self._font_of[letter] = font
        self[letter] = width = font.getlength(letter)
        return width

    def width(self, text: str) -> float:
        return sum(map(self.__getitem__, text))

    def draw(self, on: ImageDraw.ImageDraw, place: tuple[float, float], text: str) -> None:
        """Each stretch of letters of the same font at once."""
        left, top = place
        start = 0
        for end in range(1, len(text) + 1):
            if end == len(text) or self._font_of[text[end]] is not self._font_of[text[start]]:
                on.text((left, top), text[start:end], fill="black", font=self._font_of[text[start]])
                left += self.width(text[start:end])
                start = end


def _fonts(size_px: float) -> Iterator[_Font]:
    for name in _FONTS:
        try:
            yield ImageFont.truetype(name, size_px)
        except OSError:
            continue  # not on this machine
    yield ImageFont.load_default(size_px)


def _look(font: _Font, letter: str) -> bytes:
    return bytes(font.getmask(letter))


def _pages(content: mmap.mmap, sheet: _Sheet, letters: _Letters) -> Iterator[list[str]]:
    page: list[str] = []
    for line in _lines(content):
        for number, part in enumerate(line.split("\f")):
            if number:  # a form feed begins a page
                yield page
                page = []
            for row in _wrapped(part.expandtabs(4).rstrip(), letters, width=sheet.width - 2 * sheet.margin):
                if len(page) == sheet.lines():
                    yield page
                    page = []
                page.append(row)
    yield page


def _lines(content: mmap.mmap) -> Iterator[str]:
    """As they stand in the file; a line without end is cut, so that memory stays bounded."""
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
            if len(rest) > _LONGEST_LINE:
                yield rest
                rest = ""
    except UnicodeDecodeError as error:
        raise FileDamaged from error
    if rest:
        yield rest


def _wrapped(line: str, letters: _Letters, *, width: float) -> Iterator[str]:
    """The line in rows. What stood between two words is not carried into the next row."""
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
    """Words, and what is between them; none of them wider than a row."""
    for piece in _PIECES.findall(line):
        start, used = 0, 0.0
        for place, letter in enumerate(piece):
            used += letters[letter]
            if used > width and place > start:
                yield piece[start:place]
                start, used = place, letters[letter]
        yield piece[start:]


def _drawn(rows: list[str], sheet: _Sheet, letters: _Letters) -> DrawnPage:
    image = Image.new("L", (sheet.width, sheet.height), "white")
    on = ImageDraw.Draw(image)
    words: list[Word] = []
    for number, row in enumerate(rows):
        top = sheet.margin + number * sheet.line
        letters.draw(on, (sheet.margin, top), row)
        words.extend(_words(row, top, sheet, letters))
    return DrawnPage(image.convert("RGB"), "\n".join(rows).strip(), tuple(words))


def _words(row: str, top: float, sheet: _Sheet, letters: _Letters) -> Iterator[Word]:
    done, left = 0, sheet.margin
    for found in _WORDS.finditer(row):
        left += letters.width(row[done : found.start()])
        right = left + letters.width(found[0])
        yield Word(
            found[0],
            round(left / sheet.width, 5),
            round(top / sheet.height, 5),
            round(min(right / sheet.width, 1.0), 5),
            round((top + sheet.line) / sheet.height, 5),
        )
        done, left = found.end(), right
