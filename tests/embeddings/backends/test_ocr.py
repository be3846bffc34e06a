"""OCR: words and their boxes, anywhere on a page."""

import pytest
from PIL import Image, ImageDraw, ImageOps

from embeddings.backends.ocr import OcrReader, printed_area
from tests.embeddings.serving import text_image

PAGE = (827, 1170)


@pytest.fixture(scope="module")
def reader() -> OcrReader:
    return OcrReader()


def sheet(text: str, *, position: tuple[int, int], ink: str = "black") -> Image.Image:
    page = Image.new("RGB", PAGE, "white")
    ImageDraw.Draw(page).text(position, text, fill=ink, font_size=20)
    return page


def test_empty_page_has_no_words(reader: OcrReader) -> None:
    assert reader.read(Image.new("RGB", PAGE, "ivory")) == ()
    assert reader.read(Image.new("RGB", (1, 1))) == ()


@pytest.mark.parametrize("position", [(40, 20), (620, 600), (60, 1140)])
def test_single_line_is_found_at_its_position(reader: OcrReader, position: tuple[int, int]) -> None:
    page = sheet("Invoice 2024", position=position)
    words = reader.read(page)
    assert [word.text for word in words] == ["Invoice", "2024"]
    assert abs(words[0].x0 * PAGE[0] - position[0]) < 12
    assert abs(words[0].y0 * PAGE[1] - position[1]) < 12
    assert words[0].x1 <= words[1].x0 + 0.01


def test_light_print_on_a_dark_page_is_read(reader: OcrReader) -> None:
    page = ImageOps.invert(sheet("Annual report", position=(300, 700)))
    assert [word.text for word in reader.read(page)] == ["Annual", "report"]


def test_printed_area_excludes_empty_paper() -> None:
    left, top, right, bottom = printed_area(sheet("1", position=(400, 1100), ink="#aaa")) or (0, 0, 0, 0)
    assert 350 < left < 400 < right < 450
    assert 1050 < top < 1110 < bottom <= PAGE[1]


def test_printed_area_of_a_framed_page_is_the_whole_page() -> None:
    page = text_image("Total", size=(200, 100))
    ImageDraw.Draw(page).rectangle((0, 0, 199, 99), outline="black", width=4)
    assert printed_area(page) == (0, 0, 200, 100)
