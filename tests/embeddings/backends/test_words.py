"""Words, and their directions."""

import numpy as np

from embeddings.backends import words


def test_words_are_normalised_and_identifiers_stay_whole() -> None:
    assert words.split("Invoice No. 2024-117: 1,250.00 EUR, ﬁne Straße_x") == [
        "invoice", "no", "2024-117", "1,250.00", "eur", "fine", "strasse", "x",
    ]  # fmt: skip


def test_span_locates_the_word_in_the_text() -> None:
    assert words.spans("a 10/12") == [(0, 1, "a"), (2, 7, "10/12")]


def test_direction_of_a_word_never_changes() -> None:
    np.testing.assert_allclose(words.direction("invoice", dim=4), [0.3985, -0.4544, 0.4848, -0.6322], atol=1e-3)
