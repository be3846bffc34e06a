"""Words and their places, whatever part of a page they are printed on."""

import pytest
from PIL import Image, ImageDraw, ImageOps

from embeddings.backends.ocr import OcrReader, printed_area
from tests.embeddings.serving import text_image

PAGE = (827, 1170)


@pytest.fixture(scope="module")
def reader() -> OcrReader:
    return OcrReader()


def sheet(text: str, *, place: tuple[int, int], ink: str = "black") -> Image.Image:
    page = Image.new("RGB", PAGE, "white")
    ImageDraw.Draw(page).text(place, text, fill=ink, font_size=20)
    return page


def test_empty_paper_has_no_words(reader: OcrReader) -> None:
    assert reader.read(Image.new("RGB", PAGE, "ivory")) == ()
    assert reader.read(Image.new("RGB", (1, 1))) == ()


@pytest.mark.parametrize("place", [(40, 20), (620, 600), (60, 1140)])
def test_one_line_is_found_where_it_stands(reader: OcrReader, place: tuple[int, int]) -> None:
    page = sheet("Invoice 2024", place=place)
    found = reader.read(page)
    assert [word.text for word in found] == ["Invoice", "2024"]
    assert abs(found[0].x0 * PAGE[0] - place[0]) < 12
    assert abs(found[0].y0 * PAGE[1] - place[1]) < 12
    assert found[0].x1 <= found[1].x0 + 0.01


def test_light_print_on_a_dark_page_is_read(reader: OcrReader) -> None:
    page = ImageOps.invert(sheet("Annual report", place=(300, 700)))
    assert [word.text for word in reader.read(page)] == ["Annual", "report"]


def test_only_the_printed_part_is_looked_at() -> None:
    left, top, right, bottom = printed_area(sheet("1", place=(400, 1100), ink="#aaa")) or (0, 0, 0, 0)
    assert 350 < left < 400 < right < 450
    assert 1050 < top < 1110 < bottom <= PAGE[1]


def test_what_reaches_to_the_edges_is_looked_at_whole() -> None:
    page = text_image("Total", size=(200, 100))
    ImageDraw.Draw(page).rectangle((0, 0, 199, 99), outline="black", width=4)
    assert printed_area(page) == (0, 0, 200, 100)
