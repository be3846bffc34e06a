"""The tokenizer of multilingual-e5-small, against one that `tokenizers` makes of the same pieces."""

import random
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from embeddings.backends.encoders.e5_file import E5File
from embeddings.backends.encoders.unigram import Unigram, combines

Piece = tuple[str, float]
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
ALPHABETS = (
    "abc \n\t12-.,é",
    "\U0001f600\U0001f468\u200d\U0001f469\ufe0f ok",
    "\u202e\u200fאבגשל \u202c",
    "\0\x01\x1c\x1f a\x7f",
    "कखगि्ा ",
    "漢字かな ",
    "가나한글 ",
    "ﬁ½①㍿…™Ⅷ ﷺ",
    "▁▁ x",
    "ไทยภาษา ",
    "\u3000\u2028\x85\xa0ab",
    "<s></pad>mask>",
    "\U000f0000\U000f0001a ",
)


@pytest.fixture(scope="module")
def pieces() -> list[Piece]:
    return list(E5File().vocabulary())


@pytest.fixture(scope="module")
def unigram(pieces: list[Piece]) -> Unigram:
    return Unigram(pieces)


@pytest.fixture(scope="module")
def other(pieces: list[Piece]) -> Tokenizer:
    # A blank separates words and is part of none, so a piece with a blank matches nothing.
    plain = [(f" {piece}" if piece in SPECIAL else piece, score) for piece, score in pieces]
    tokenizer = Tokenizer(models.Unigram(plain, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    return tokenizer


def test_pieces_are_those_of_the_model(unigram: Unigram, pieces: list[Piece]) -> None:
    ids, places = unigram.split("Die  Rechnung\n(2024-117) ﬁne。日本語のテキスト")
    split = [pieces[number][0] for number in ids]
    assert split == ["▁Die", "▁Rechnung", "▁(", "202", "4-1", "17)", "▁fine", "。", "日本語", "の", "テキスト"]
    assert places[:3] == [(0, 3), (4, 13), (13, 15)]
    assert places[-5:] == [(24, 28), (28, 29), (29, 32), (32, 33), (33, 37)]


def test_pieces_and_places_are_those_of_the_other_tokenizer(
    unigram: Unigram, other: Tokenizer, pieces: list[Piece]
) -> None:
    differing = []
    for text in _texts():
        ids, places = unigram.split(text)
        encoded = other.encode(text, add_special_tokens=False)
        # Of two ways to split that have the same score, either is right: "..." and ".", or the reverse.
        if sorted(ids) != sorted(encoded.ids) or (ids == encoded.ids and places != encoded.offsets):
            differing.append((text, [pieces[number][0] for number in ids], encoded.tokens))
    assert not differing, differing[:3]


def test_letters_with_several_marks_have_the_same_pieces(unigram: Unigram, other: Tokenizer) -> None:
    rng = random.Random(1)  # noqa: S311 - nothing secret
    for _ in range(50):
        text = "".join(rng.choices("e\u0301\u0327\u0323o\u0308か\u3099ｶﾞﾊﾟ\u1112\u1161\u11ab ", k=20))
        assert unigram.split(text)[0] == other.encode(text, add_special_tokens=False).ids


def test_blanks_alone_are_one_piece_and_nothing_is_none(unigram: Unigram) -> None:
    assert unigram.split("") == ([], [])
    (ids, places), (of_one, _) = unigram.split(" \n\t\u3000"), unigram.split(" ")
    assert ids == of_one
    assert places == [(3, 4)]


def test_unpaired_surrogate_is_a_question_mark(unigram: Unigram) -> None:
    assert unigram.split("a \ud800 b") == unigram.split("a ? b")


def test_places_are_inside_the_text_and_ascend(unigram: Unigram) -> None:
    for text in ("ｶﾞｷﾞ\u3099\u3099 ﷺ\u0301", "\u0301\u0327" * 5000, "x" * 30_000, "漢字" * 20_000, "\0" * 30_000):
        ids, places = unigram.split(text)
        assert len(ids) == len(places) > 0
        assert places == sorted(places)
        assert all(0 <= start < stop <= len(text) for start, stop in places)


def test_every_character_that_combines_with_those_before_it_is_known() -> None:
    later = {
        character
        for code in range(sys.maxunicode + 1)
        if (decomposition := unicodedata.decomposition(chr(code))) and not decomposition.startswith("<")
        for character in (chr(int(digits, 16)) for digits in decomposition.split()[1:])
    }
    assert len(later) > 50
    assert not [character for character in later if not combines(character)]


def _texts() -> Iterator[str]:
    """Yield the texts of this repository in all languages, and hostile ones."""
    rng = random.Random(1)  # noqa: S311 - nothing secret
    for alphabet in ALPHABETS:
        for length in (1, 2, 3, 5, 10, 40, 200):
            for _ in range(4):
                yield "".join(rng.choices(alphabet, k=length))
    root = Path(__file__).parents[4]
    yield from (root / "embeddings/backends/encoders/stop_words.txt").read_text(encoding="utf-8").splitlines()
    yield from (root / "benchmarks/quality/questions.txt").read_text(encoding="utf-8").splitlines()
    yield unicodedata.normalize("NFD", "Überweisung bis spätestens 3. März: café, naïve, Ελλάδα, 한국어, がぎぐ")
    yield (root / "docs/architecture.md").read_text(encoding="utf-8")
