"""Pages that look scanned: 400 words in several typefaces and sizes, with grain, blur, uneven light and a rotation.

The words, the line that each belongs to, and its place on the page are known.
"""

import io
import random
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2 as pdfium  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from benchmarks.embeddings import pages
from benchmarks.harness import text_pdf
from embeddings.contract import Word

WORDS = 400
_DPI = 200
_FOREIGN = Path(__file__).with_name("scanned_text.txt")
_MARGIN = 60


@dataclass(frozen=True, slots=True)
class Style:
    """How a page is set, and what became of it on the glass of the scanner."""

    name: str
    font: str
    size: float
    columns: int = 1
    leading: float = 1.35
    angle: float = 0.0  # degrees
    grain: float = 6.0
    blur: float = 0.6
    ink: int = 25


STYLES = (
    Style("sans", "Helvetica", 11, angle=0.4),
    Style("serif", "Times-Roman", 11.5, angle=-0.7),
    Style("typewriter", "Courier", 9.5, angle=0.3, ink=60),
    Style("columns", "Times-Roman", 10, columns=2, angle=-0.3),
    Style("bold", "Helvetica-Bold", 10.5, angle=0.9, grain=10),
    Style("italic", "Times-Italic", 12, angle=0.2, blur=0.9),
    Style("small", "Helvetica", 8, angle=-0.4),
    Style("foreign", "Times-Roman", 11, angle=0.6),
    Style("figures", "Helvetica", 9.5, angle=-0.2, grain=9),
    Style("tight", "Times-Roman", 10, leading=1.05, angle=0.5),
    Style("tiny", "Helvetica", 6, leading=1.15, angle=-0.3),
    Style("faint", "Courier", 10, angle=-1.2, grain=12, blur=0.8, ink=110),
)


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """The words of a line and their boxes (n, 4) in points on the straight page, from the upper left corner."""

    words: tuple[str, ...]
    boxes: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scan:
    """A page as the scanner saw it; `to_page` maps its relative positions to points on the straight page."""

    style: Style
    image: Image.Image
    lines: tuple[PrintedLine, ...]
    to_page: NDArray[Any]


def scans(styles: Sequence[Style] = STYLES, *, seed: int = 5) -> Iterator[Scan]:
    """Generate one page of each style; the seed determines the pixels."""
    for number, style in enumerate(styles):
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - the same pages every time
        lines = _set(style, _text(style, rng))
        with pdfium.PdfDocument(text_pdf.write([lines])) as document:
            page = document[0]
            clean = page.render(scale=_DPI / 72).to_pil().convert("L")
            printed = tuple(_printed(lines, pages.words_of(page)))
        image, to_page = _scanned(clean, style, np.random.default_rng([seed, number]))
        yield Scan(style, image, printed, to_page)


def _text(style: Style, rng: random.Random) -> list[str]:
    """Return 400 words."""
    if style.name == "figures":
        return [word for _ in range(WORDS // 5) for word in _entry(rng)]
    if style.name == "foreign":
        paragraphs = _FOREIGN.read_text(encoding="utf-8").split("\n\n")
    else:
        paragraphs = [body for _, body in pages.texts()]
        rng.shuffle(paragraphs)
    words = " ".join(paragraphs).split()
    return (words * (WORDS // len(words) + 1))[:WORDS]


def _entry(rng: random.Random) -> tuple[str, ...]:
    """Return five words of a statement of account."""
    date = f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.{rng.randint(2019, 2026)}"
    number = f"RE-{rng.randint(1000, 9999)}-{rng.randint(10000, 99999)}"
    item = rng.choice(("Paper", "Toner", "Repair", "Freight", "Licence", "Cleaning"))
    return (
        date,
        number,
        item,
        f"{rng.randint(1, 40)}x",
        f"{rng.randint(1, 9)},{rng.randint(100, 999)}.{rng.randint(10, 99)}",
    )


def _set(style: Style, words: list[str]) -> list[text_pdf.Line]:
    width = (text_pdf.WIDTH - 2 * _MARGIN - 20 * (style.columns - 1)) / style.columns
    em = {"Courier": 0.6, "Helvetica": 0.5, "Helvetica-Bold": 0.54}.get(style.font, 0.43)
    wrapped = textwrap.wrap(" ".join(words), int(width / (em * style.size)), break_on_hyphens=False)
    leading = style.leading * style.size
    rows = -(-len(wrapped) // style.columns)
    return [
        text_pdf.Line(
            line,
            _MARGIN + (number // rows) * (width + 20),
            text_pdf.HEIGHT - 70 - leading * (number % rows),
            style.size,
            style.font,
        )
        for number, line in enumerate(wrapped)
    ]


def _printed(lines: Sequence[text_pdf.Line], words: Sequence[Word]) -> Iterator[PrintedLine]:
    remaining = iter(words)
    for line in lines:
        on_line = [next(remaining) for _ in line.text.split()]
        boxes = np.array([[word.x0, word.y0, word.x1, word.y1] for word in on_line])
        yield PrintedLine(tuple(word.text for word in on_line), boxes * (2 * [text_pdf.WIDTH, text_pdf.HEIGHT]))


def _scanned(clean: Image.Image, style: Style, rng: np.random.Generator) -> tuple[Image.Image, NDArray[Any]]:
    """Return the page as a scanner delivers it, and the map back from relative positions to points."""
    width, height = clean.size
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), style.angle, 1.0)
    grey: NDArray[Any] = np.asarray(clean, dtype=np.float32) / 255
    grey = cv2.warpAffine(grey, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=1.0)
    grey = cv2.GaussianBlur(grey, (0, 0), style.blur)
    paper = (
        np.linspace(250, 232, width, dtype=np.float32)[None] * np.linspace(1, 0.97, height, dtype=np.float32)[:, None]
    )
    grey = style.ink + grey * (paper - style.ink) + rng.normal(0, style.grain, grey.shape).astype(np.float32)
    coloured = np.clip(grey[..., None] * np.array([1.0, 0.99, 0.95], dtype=np.float32), 0, 255).astype(np.uint8)
    stored = io.BytesIO()
    Image.fromarray(coloured).save(stored, "JPEG", quality=75)
    back = cv2.invertAffineTransform(turn) @ np.diag([width, height, 1.0])
    return Image.open(stored).convert("RGB"), back * (72 / _DPI)
