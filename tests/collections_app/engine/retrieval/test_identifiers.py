"""Which words of a query are identifiers."""

import pytest

from collections_app.engine.retrieval.identifiers import identifiers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is INV-2023-0042?", {"inv20230042"}),
        ("(4711.0815_b).", {"47110815b"}),
        ("part AB12 or 10482, in 2026", {"ab12", "10482"}),
        ("what is SO_PEERCRED for", {"sopeercred"}),
        ("getElementById of a document", {"getelementbyid"}),
        ("git gc --keep-largest-pack --prune", {"keeplargestpack"}),
        ("ＡＢＣ－１２３", {"abc123"}),  # noqa: RUF001 - full width
        ("Straße_7", {"straße7"}),
    ],
)
def test_names_with_digits_underscores_or_inner_capitals_and_long_options_are_identifiers(
    text: str, expected: set[str]
) -> None:
    assert identifiers(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a well-known lens",
            "Der E-Mail-Server der Firma",
            "NATO and CSV",
            "in 2026",
            "e.g. this",
            "and/or -- no",
        ),
        *("__", "--", "-x", "東京タワー", "x" * 300 + "1"),
    ],
)
def test_ordinary_words_are_none(text: str) -> None:
    assert identifiers(text) == set()


def test_long_text_of_punctuation_takes_no_time() -> None:
    assert identifiers("a-" * 100_000) == set()
    assert identifiers("a_" * 100_000) == set()
