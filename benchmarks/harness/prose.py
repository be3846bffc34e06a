"""PDFs of English sentences, from the help texts that come with Python: with a text layer, or scanned."""

import io
import random
import re
import textwrap
from collections.abc import Iterator, Sequence
from pydoc_data.topics import topics

import numpy as np
import pypdfium2 as pdfium  # type: ignore[import-untyped]
from PIL import Image

from benchmarks.harness import text_pdf

# About 450 tokens of the built-in models.
WORDS = 330
_LETTERS_PER_LINE, _LINE_HEIGHT, _TOP = 92, 15, 780
_SCAN_DPI = 200
_LEAST_WORDS, _MOST_WORDS = 6, 40


def pages(count: int, *, seed: int, words: int = WORDS) -> list[list[text_pdf.Line]]:
    """Return so many pages of about so many words; no two are alike, and the seed determines them."""
    rng = random.Random(seed)  # noqa: S311 - the same pages every time
    known = sentences()
    return [_page(rng, known, words) for _ in range(count)]


def sentences() -> list[str]:
    """Return the sentences of the help texts, without program text."""
    paragraphs = (part for text in topics.values() for part in text.split("\n\n"))
    prose = (
        " ".join(part.split()) for part in paragraphs if not re.search(r"^ {4}|[=*]{3}|>>>|::=", part, re.MULTILINE)
    )
    every = (one.strip() for part in prose for one in re.split(r"(?<=[.!?]) (?=[A-Z])", part))
    return sorted({one for one in every if _LEAST_WORDS <= len(one.split()) <= _MOST_WORDS and one.isascii()})


def scanned(count: int, *, seed: int, words: int) -> bytes:
    """Return a PDF of scans: images at 200 dpi, a little grainy and not quite straight, without a text layer."""
    noise = np.random.default_rng(seed)
    images = []
    with pdfium.PdfDocument(text_pdf.write(pages(count, seed=seed, words=words))) as document:
        for page in document:
            clean = page.render(scale=_SCAN_DPI / 72, grayscale=True).to_pil().convert("L")
            turned = clean.rotate(float(noise.uniform(-0.3, 0.3)), fillcolor=255, resample=Image.Resampling.BILINEAR)
            grain = np.asarray(turned, dtype=np.float32) + noise.normal(0, 6, (turned.height, turned.width))
            images.append(Image.fromarray(grain.clip(0, 255).astype(np.uint8)))
    out = io.BytesIO()
    images[0].save(out, format="PDF", save_all=True, append_images=images[1:], resolution=_SCAN_DPI, quality=80)
    return out.getvalue()


def _page(rng: random.Random, known: Sequence[str], words: int) -> list[text_pdf.Line]:
    text = textwrap.wrap(" ".join(_words(rng, known, words)), _LETTERS_PER_LINE)
    return [text_pdf.Line(line, 50, _TOP - _LINE_HEIGHT * number, 10.5) for number, line in enumerate(text)]


def _words(rng: random.Random, known: Sequence[str], words: int) -> Iterator[str]:
    chosen: list[str] = []
    while len(chosen) < words:
        chosen += rng.choice(known).split()
    yield from chosen[:words]
