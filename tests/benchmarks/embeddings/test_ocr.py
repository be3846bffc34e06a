"""The measurement of OCR: what is printed is known, and a perfect reading has a perfect score."""

import cv2
import numpy as np
import pytest

from benchmarks.embeddings.ocr import Score, edit_distance
from benchmarks.embeddings.scans import STYLES, Scan, scans
from embeddings.contract import Word


@pytest.fixture(scope="module")
def scan() -> Scan:
    return next(scans(STYLES[3:4]))


def as_read(scan: Scan) -> list[Word]:
    """Return what is printed, as a reader that makes no mistake returns it."""
    to_image = cv2.invertAffineTransform(scan.to_page)
    words = []
    for line in scan.lines:
        for text, (x0, y0, x1, y1) in zip(line.words, line.boxes, strict=True):
            corners = np.array([[x0, y0, 1], [x1, y1, 1]]) @ to_image.T
            words.append(Word(text, *map(float, corners.reshape(-1))))
    return words


def test_perfect_reading_is_right_whatever_its_order(scan: Scan) -> None:
    score = Score()
    score.add(scan, as_read(scan)[::-1])
    assert score.figures() == {
        "characters_right": 1.0,
        "words_right": 1.0,
        "box_overlap": 1.0,
        "boxes_on_their_word": 1.0,
    }


def test_page_has_four_hundred_words(scan: Scan) -> None:
    assert sum(len(line.words) for line in scan.lines) == 400


def test_missing_and_additional_words_are_wrong(scan: Scan) -> None:
    score = Score()
    first, *others = as_read(scan)
    score.add(scan, [*others, Word("stain", 0.9, 0.99, 0.95, 1.0)])
    assert score.wrong_characters == len(first.text) + 1 + len("stain ")
    assert score.right_words == 399


@pytest.mark.parametrize(
    ("printed", "read", "distance"), [("", "abc", 3), ("office", "ofice", 1), ("kitten", "sitting", 3), ("a", "a", 0)]
)
def test_edit_distance(printed: str, read: str, distance: int) -> None:
    assert edit_distance(printed, read) == distance
