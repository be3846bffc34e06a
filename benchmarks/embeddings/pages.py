"""Our own pages and queries: topics that are easily confused with each other, and similar invoices.

Forty pages and seventy queries were used while developing the model; the held-out ones were written afterwards and
never tuned against.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium  # type: ignore[import-untyped]
from PIL import Image

from benchmarks.harness import text_pdf
from embeddings.contract import Word

# A heading, a text and two paraphrased queries. Groups of three topics are easily confused.
_TOPICS = Path(__file__).with_name("topics.txt")
_HELD_OUT = Path(__file__).with_name("held_out.txt")

INVOICES = tuple(f"RE-{2024 + number % 2}-{10417 + 11 * number}" for number in range(10))
_INVOICE = (
    "Invoice {number}. Customer {customer}. Delivery of office paper, 40 boxes at 23.50 each. Total due {total} EUR."
    " Please pay within thirty days and quote the number of this invoice."
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as an image and as words."""

    image: Image.Image
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A query and the number of the page that answers it."""

    text: str
    page: int
    kind: str


def texts() -> list[tuple[str, str]]:
    """Return headings and bodies of all pages: topics, invoices, and held-out topics."""
    pages = [(heading, body) for heading, body, *_ in _topics(_TOPICS)]
    for number, name in enumerate(INVOICES):
        body = _INVOICE.format(number=name, customer=40211 + 7 * number, total=f"1,{100 + 37 * number}.{10 + number}")
        pages.append(("Invoice", body))
    return pages + [(heading, body) for heading, body, *_ in _topics(_HELD_OUT)]


def known() -> int:
    """Return the number of pages that are not held out; they come first."""
    return len(_topics(_TOPICS)) + len(INVOICES)


def questions() -> list[Question]:
    """Return two paraphrases per topic, and the number of each invoice."""
    topics = _topics(_TOPICS)
    queries = [Question(one, page, "topic") for page, (_, _, *two) in enumerate(topics) for one in two]
    for number, name in enumerate(INVOICES):
        queries.append(Question(f"invoice {name}", len(topics) + number, "identifier"))
    held_out = enumerate(_topics(_HELD_OUT), start=known())
    return queries + [Question(one, page, "held_out") for page, (_, _, *two) in held_out for one in two]


def _topics(file: Path) -> list[list[str]]:
    return [block.splitlines() for block in file.read_text(encoding="utf-8").split("\n\n")]


def pages(*, dpi: int) -> Iterator[Page]:
    """Generate the pages as PDFs with a text layer, rendered."""
    for heading, body in texts():
        yield _rendered(heading, body, dpi=dpi)


def full_page(*, dpi: int) -> Page:
    """Return a page full of text; the others have one paragraph each."""
    everything = textwrap.shorten(" ".join(body for _, body in texts()), 39 * 66)
    return _rendered("Everything", everything, dpi=dpi)


def _rendered(heading: str, body: str, *, dpi: int) -> Page:
    with pdfium.PdfDocument(_pdf(heading, body)) as document:
        page = document[0]
        return Page(page.render(scale=dpi / 72).to_pil().convert("RGB"), words_of(page))


def _pdf(heading: str, body: str) -> bytes:
    """Return a PDF of one A4 page with a heading and a paragraph."""
    text = (text_pdf.Line(line, 60, 720 - 18 * number) for number, line in enumerate(textwrap.wrap(body, 70)))
    return text_pdf.write([[text_pdf.Line(heading, 60, 760, 22), *text]])


def words_of(page: pdfium.PdfPage) -> tuple[Word, ...]:
    """Return the words of the text layer with relative boxes."""
    width, height = page.get_size()
    layer = page.get_textpage()
    text = layer.get_text_range()
    words, start = [], 0
    for word in text.split():
        start = text.index(word, start)
        boxes = [layer.get_charbox(place) for place in range(start, start + len(word))]
        left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
        right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
        words.append(Word(word, left / width, 1 - top / height, right / width, 1 - bottom / height))
        start += len(word)
    return tuple(words)
