"""Word search without a database."""

import pytest

from benchmarks.quality.lexical import Words

TEXTS = ["a keeper of the light", "the lighthouse", "a lighthouse keeper and another keeper", "nothing"]


def test_rare_and_repeated_words_count_more() -> None:
    scores = Words(TEXTS).bm25("lighthouse keeper")
    assert scores.argmax() == 2
    assert scores[3] == 0


def test_coverage_is_the_share_of_the_words_of_the_question() -> None:
    words = Words(TEXTS)
    assert words.coverage("the lighthouse keeper")[2] == pytest.approx(1)
    assert words.coverage("ein lighthouse im Nebel")[1] < 0.4
    assert words.coverage("the of a").tolist() == [0, 0, 0, 0]


def test_pages_with_an_identifier_are_known_if_they_are_few() -> None:
    words = Words(["set SO_PEERCRED", "so-peercred, SO_REUSEPORT", "SO_REUSEPORT", "SO_REUSEPORT"])
    assert words.has_identifier("what is SO_PEERCRED", at_most=2).tolist() == [True, True, False, False]
    assert not words.has_identifier("what is SO_REUSEPORT", at_most=2).any()
    assert not words.has_identifier("what is reuse", at_most=2).any()
