"""The scripts of a text, by the names of its letters."""

import pytest

from collections_app.engine.scripts import scripts_of


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("", []),
        ("12.5 % - 2026!", []),
        ("Größe, été, İstanbul", ["Latin"]),
        ("Договор аренды", ["Cyrillic"]),
        ("合同编号", ["Han"]),
        ("会議は明日です", ["Han", "Hiragana"]),
        ("シャープ", ["Katakana"]),
        ("계약서", ["Hangul"]),
        ("\uff21\uff22\uff23", ["Latin"]),
        ("λόγος ª º", ["Greek", "Latin"]),
        ("नमस्ते", ["Devanagari"]),
        ("שלום", ["Hebrew"]),
    ],
)
def test_scripts_of_a_text(text: str, scripts: list[str]) -> None:
    assert scripts_of(text) == scripts


def test_single_foreign_letter_does_not_count() -> None:
    assert scripts_of(100 * "word " + "π") == ["Latin"]


def test_most_frequent_script_is_first() -> None:
    assert scripts_of("Договор аренды: PDF") == ["Cyrillic", "Latin"]
