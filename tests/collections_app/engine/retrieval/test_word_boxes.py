"""Words with their boxes, as they are stored."""

import pytest

from collections_app.engine.retrieval.word_boxes import decode, encode, words_inside
from embeddings.contract import Word

WORDS = [Word("Fresnel", 0.1, 0.1, 0.2, 0.12), Word('"ﬁn" \U0001f5c2', 0.12345, 0.5, 1, 0.52)]


def test_words_round_trip_to_a_ten_thousandth() -> None:
    first, second = decode(encode(WORDS))
    assert first == WORDS[0]
    assert second.text == WORDS[1].text
    assert second.x0 == pytest.approx(0.12345, abs=1e-4)
    assert decode(encode([])) == []


def test_word_is_inside_a_box_if_its_centre_is() -> None:
    assert words_inside(WORDS, (0, 0, 1, 0.3)) == ["Fresnel"]
    assert words_inside(WORDS, (0, 0, 0.14, 1)) == []
    assert words_inside(WORDS, (0, 0, 1, 1)) == [word.text for word in WORDS]
