"""Detection of lines: how far a page can be reduced, where the text is in a line, and where a line is on the page."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from embeddings.backends import ocr
from embeddings.backends.reading.lines import Line, LineDetector, Pixels, TextRows, detection_scale, text_rows


@pytest.fixture(scope="module")
def detector() -> LineDetector:
    return LineDetector(ocr._model_file("Det"))


def paragraph(size: float, *, lines: int = 12, side: int = 1000, angle: float = 0) -> Pixels:
    page = Image.new("RGB", (side, side), "white")
    for number in range(lines):
        text = "The quick brown fox jumps over the lazy dog"
        ImageDraw.Draw(page).text((40, 40 + 1.4 * size * number), text, fill="black", font_size=size)
    return np.asarray(page.rotate(angle, fillcolor="white"))


def test_smaller_print_is_detected_on_a_larger_copy() -> None:
    scales = [detection_scale(paragraph(size)) for size in (36, 24, 16)]
    assert scales == sorted(scales)
    assert scales[0] < 0.5
    assert scales[-1] > 0.55


def test_page_with_few_marks_is_not_reduced() -> None:
    page = np.full((400, 400, 3), 255, dtype=np.uint8)
    page[100:120, 100:140] = 0
    assert detection_scale(page) == 1.0


def test_large_page_is_reduced_to_the_limit() -> None:
    assert detection_scale(np.full((1754, 1240, 3), 255, dtype=np.uint8)) == pytest.approx(1170 / 1754)


def test_grain_is_not_taken_for_small_print() -> None:
    noise = np.random.default_rng(1).normal(0, 8, (1000, 1000, 1))
    grainy = np.clip(paragraph(30) * 0.9 + noise, 0, 255).astype(np.uint8)
    assert detection_scale(grainy) == pytest.approx(detection_scale(paragraph(30)), rel=0.35)


@pytest.mark.parametrize("size", [14, 24, 60])
def test_every_line_is_found_in_order(detector: LineDetector, size: int) -> None:
    lines = detector.find(paragraph(size, lines=8))
    tops = [line.box(0, line.pixels.shape[1])[1] for line in lines]
    assert len(lines) == 8
    assert tops == sorted(tops)


@pytest.mark.parametrize("angle", [-2.0, 3.0])
def test_tilted_line_is_upright_and_maps_back(detector: LineDetector, angle: float) -> None:
    page = paragraph(24, lines=1, angle=angle)
    (line,) = detector.find(page)
    assert line.pixels.shape[0] < 60
    ink = np.argwhere(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY) < 128)
    x0, y0, x1, y1 = line.box(0, line.pixels.shape[1])
    assert x0 - 3 <= ink[:, 1].min()
    assert x1 + 3 >= ink[:, 1].max()
    assert y0 - 3 <= ink[:, 0].min()
    assert y1 + 3 >= ink[:, 0].max()


def test_vertical_line_is_turned(detector: LineDetector) -> None:
    page = np.ascontiguousarray(np.rot90(paragraph(24, lines=1), -1))
    (line,) = detector.find(page)
    height, width = line.pixels.shape[:2]
    assert width > 5 * height
    # The line reads downwards, so its beginning is at the top of the page.
    assert line.box(0, 20)[3] < line.box(width - 20, width)[1] or line.box(0, 20)[1] > line.box(width - 20, width)[3]


def test_rows_of_the_text_exclude_the_neighbours() -> None:
    line = np.full((48, 300, 3), 255, dtype=np.uint8)
    line[:3, 20:80] = line[46:, 120:160] = 0
    line[14:34, 20:280:4] = 0
    assert text_rows(line) == (14, 34, 30)


def test_dots_belong_to_their_letters() -> None:
    line = np.full((48, 300, 3), 255, dtype=np.uint8)
    line[16:34, 20:280:4] = 0
    line[11:14, 20:280:16] = 0
    assert text_rows(line)[:2] == (11, 34)


def test_box_of_a_part_of_a_line() -> None:
    line = Line(
        np.zeros((20, 100, 3), dtype=np.uint8), TextRows(5, 15, 10), np.array([[1.0, 0, 50], [0, 1, 70], [0, 0, 1]])
    )
    assert line.box(10, 30) == (60, 75, 80, 85)
