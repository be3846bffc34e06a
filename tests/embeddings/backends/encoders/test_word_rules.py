"""The words that the pieces of a text belong to."""

import pytest

from embeddings.backends.encoders import word_rules


def words_of(text: str, *pieces: str) -> list[tuple[str, ...]]:
    """Return the words of each piece by the rules for all languages; the pieces are in order."""
    places, start = [], 0
    for piece in pieces:
        start = text.index(piece, start)
        places.append((start, start + len(piece)))
    return word_rules.multilingual(text, places)


def test_piece_refers_to_its_whole_word_and_identifiers_stay_whole() -> None:
    assert words_of("Straße 2024-117, fin", "Stra", "2024", "-", "117", ",", "fin") == [
        ("strasse",), ("2024-117",), ("2024-117",), ("2024-117",), (), ("fin",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "stop_words",
    [
        "the of",
        "die nicht",
        "qu avec",
        "los también",
        "della perché",
        "não uma",
        "het niet",
        "och är",
        "się jest",
        "и не",
    ],
)
def test_stop_words_of_many_languages_have_no_word(stop_words: str) -> None:
    assert words_of(stop_words.upper(), *stop_words.upper().split()) == [(), ()]


def test_piece_may_begin_with_a_blank_or_punctuation() -> None:
    assert words_of("pay (£5) now", " (£5)", " now") == [("5",), ("now",)]


def test_marks_do_not_end_a_word() -> None:
    assert words_of("हिन्दी में cafe\u0301", "हि", "दी", "caf") == [("हिन्दी",), ("हिन्दी",), ("café",)]


@pytest.mark.parametrize(
    ("text", "piece", "pairs"),
    [
        ("日本語の検索", "日本語", ("日本", "本語")),
        ("日本語の検索", "の", ("の検",)),
        ("日本語の検索", "索", ("検索",)),
        ("第3章", "第", ("第",)),
        ("การค้นหา", "การ", ("กา", "าร")),
        ("검색은 한국어로", "한국어", ("한국", "국어")),
        ("检索文档", "文档", ("文档",)),
    ],
)
def test_scripts_without_blanks_have_pairs_of_characters(text: str, piece: str, pairs: tuple[str, ...]) -> None:
    assert words_of(text, piece) == [pairs]


def test_same_piece_has_the_same_pairs_in_any_context() -> None:
    assert words_of("全文検索エンジン", "検索") == words_of("検索", "検索") == [("検索",)]


def test_other_scripts_end_at_a_script_without_blanks() -> None:
    assert words_of("PDFの第3章", "PDF", "3") == [("pdf",), ("3",)]


def test_english_rules_do_not_change() -> None:
    places = [(0, 3), (4, 7), (8, 10), (11, 13), (14, 16)]
    assert word_rules.english("The die 日本 é1 £5", places) == [(), ("die",), ("日本",), ("é1",), ()]
