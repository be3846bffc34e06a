"""Recognition: characters, their columns, and the words that they form."""

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pytest
from PIL import Image, ImageDraw

from benchmarks.harness import text_pdf
from embeddings.backends import ocr
from embeddings.backends.reading.lines import Line, Pixels, TextRows, text_rows
from embeddings.backends.reading.recogniser import Reading, Recogniser


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser(ocr._model_file("Rec"))


def line(text: str, *, size: float = 22, pad: int = 6) -> Line:
    width = int(ImageDraw.Draw(Image.new("RGB", (1, 1))).textlength(text, font_size=size))
    image = Image.new("RGB", (width + 2 * pad, int(1.4 * size) + pad), "white")
    ImageDraw.Draw(image).text((pad, pad / 2), text, fill="black", font_size=size)
    pixels: Pixels = np.asarray(image)
    return Line(pixels, text_rows(pixels), np.eye(3))


def reading(text: str, columns: list[float], gap: float = 40) -> Reading:
    return Reading(tuple(text), np.array(columns, dtype=np.float32), np.ones(len(text), dtype=np.float32), gap, 1.0)


def test_lines_of_different_lengths_are_read_in_their_order(recogniser: Recogniser) -> None:
    texts = ["Total", "The office is closed on Fridays", "No", "Invoice 2024-117", "Paid", "Balance 1,250.00"]
    readings = recogniser.read([line(text) for text in texts])
    assert ["".join(one.characters) for one in readings] == texts
    assert all(one.score > 0.9 for one in readings)


@pytest.mark.parametrize("size", [12, 16, 30, 80])
def test_double_letters_survive_in_any_size(recogniser: Recogniser, size: int) -> None:
    text = "The office will be filled soon"
    (one,) = recogniser.read([line(text, size=size)])
    assert "".join(one.characters) == text


def test_letters_with_accents_are_read(recogniser: Recogniser) -> None:
    text = "Größe été niño façade"
    with pdfium.PdfDocument(text_pdf.write([[text_pdf.Line(text, 60, 760, font="Times-Roman")]])) as document:
        page = document[0].render(scale=2).to_pil().convert("RGB")
    pixels: Pixels = np.asarray(page.crop((110, 140, 400, 172)))
    (one,) = recogniser.read([Line(pixels, text_rows(pixels), np.eye(3))])
    assert "".join(one.characters) == text


def test_columns_are_those_of_the_characters(recogniser: Recogniser) -> None:
    printed = line("Invoice total")
    (one,) = recogniser.read([printed])
    (first, left, right), (second, left_of_second, _) = one.words()
    assert (first, second) == ("Invoice", "total")
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    assert abs(left - 6) < 8
    assert abs(right - 6 - pen.textlength("Invoice", font_size=22)) < 8
    assert abs(left_of_second - 6 - pen.textlength("Invoice ", font_size=22)) < 8


def test_blank_image_says_nothing(recogniser: Recogniser) -> None:
    pixels = np.full((30, 200, 3), 255, dtype=np.uint8)
    (one,) = recogniser.read([Line(pixels, TextRows(0, 30, 30), np.eye(3))])
    assert list(one.words()) == []
    assert one.score == 0


def test_no_lines_are_no_readings(recogniser: Recogniser) -> None:
    assert recogniser.read([]) == []


def test_words_are_separated_by_blanks_and_wide_gaps() -> None:
    words = list(reading("ab cdef", [10, 20, 30, 40, 50, 160, 170]).words())
    assert [text for text, _, _ in words] == ["ab", "cd", "ef"]
    assert [(left, right) for _, left, right in words] == [(5, 25), (35, 55), (155, 175)]


def test_chinese_is_separated_from_numbers() -> None:
    words = list(reading("编号2024", [10, 30, 45, 55, 65, 75]).words())
    assert [text for text, _, _ in words] == ["编号", "2024"]


def test_single_character_has_a_width() -> None:
    ((_, left, right),) = reading("7", [30]).words()
    assert left < 30 < right


def test_characters_outside_the_common_ones_are_read(recogniser: Recogniser) -> None:
    glyphs = Path(__file__).with_name("contract.png")
    pixels: Pixels = np.asarray(Image.open(glyphs).convert("RGB"))
    (one,) = recogniser.read([Line(pixels, text_rows(pixels), np.eye(3))])
    assert "".join(one.characters).replace(" ", "") == "合同编号2024-117总金额1,250.00元"
