import mmap

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]
import pytest
from PIL import Image, ImageChops

from collections_app.engine.rendering.formats.base import PDF_RENDERER
from collections_app.engine.rendering.pdf_renderer import _character, _clean, _letters, render_pages
from collections_app.engine.rendering.protocol import Job, RasterPage, RenderLimits
from tests.collections_app.engine.rendering.samples import pdf


def render_one(content: bytes) -> RasterPage:
    memory = mmap.mmap(-1, len(content))
    memory.write(content)
    job = Job(renderer=PDF_RENDERER, dpi=72, encoding="png", limits=RenderLimits())
    _, pages = render_pages(memory, job)
    [page] = pages
    return page


def ink(image: Image.Image) -> tuple[float, ...]:
    """Return the box of everything that is not white, as fractions of the width and height."""
    box = ImageChops.invert(image).getbbox()
    assert box
    return tuple(edge / side for edge, side in zip(box, image.size * 2, strict=True))


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (50, 300, 400, 800)])
def test_word_boxes_match_the_ink(rotate: int, crop: tuple[float, float, float, float] | None) -> None:
    page = render_one(pdf("Hx", rotate=rotate, crop=crop))
    [word] = page.words
    box = (word.x0, word.y0, word.x1, word.y1)
    assert box == pytest.approx(ink(page.image), abs=0.01)


def test_text_contains_no_unstorable_characters() -> None:
    page = render_one(pdf("a\x01b\x7f\x02c \xe9"))
    assert not any(ord(letter) < 32 for letter in page.text)
    assert page.text.endswith("\xe9")
    assert page.words[-1].text == "\xe9"


def test_hyphenation_markers_do_not_split_words() -> None:
    page = render_one(pdf("one\x02two  three"))
    assert [word.text for word in page.words] == page.text.split() == ["onetwo", "three"]


def test_a_page_without_text_has_no_words() -> None:
    page = render_one(pdf("", content=b"0 0 10 10 re f"))
    assert (page.text, page.words) == ("", ())


@pytest.mark.parametrize("text", ["one two", "one\x02two  three", "a\x01b\x7f\x02c \xe9", "line\nline", ""])
def test_text_that_is_read_at_once_has_the_positions_of_single_letters(text: str) -> None:
    layer = pypdfium2.PdfDocument(pdf(text))[0].get_textpage()
    count = layer.count_chars()
    codes = [pdfium.FPDFText_GetUnicode(layer, index) for index in range(count)]
    letters = _letters(layer, count)
    assert len(letters) == count
    assert [_clean(letter) for letter in letters] == [_clean(_character(code)) for code in codes]
