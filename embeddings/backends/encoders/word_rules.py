"""Which words a piece of a text belongs to. The rules are part of a space: its vectors contain the words' directions.

`english` are the first rules. `multilingual` has the stop words of twelve languages, keeps the marks of scripts such as
Devanagari, and takes pairs of characters where words are not, or not always, separated by blanks: in Chinese, Japanese
and Korean, Thai, Lao, Khmer and Burmese.
"""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from embeddings.backends import words

Places = Sequence[tuple[int, int]]
Words = tuple[str, ...]

# Scripts without blanks between words, and Hangul, whose words end in particles.
_UNSPACED = (
    "\u0e01-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1780-\u17d3\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003134f"
)
# The marks of a letter are no letters to `re`, and would end the word.
_MARKS = "".join(
    re.escape(character)
    for character in map(chr, range(0x300, 0x10000))
    if unicodedata.category(character) in ("Mn", "Mc")
)
_LETTERS = rf"(?:(?![{_UNSPACED}])[^\W_][{_MARKS}]*)+"
# Punctuation inside a word keeps identifiers whole, as in `words`.
_WORD = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|{_LETTERS}(?:[.,/-]{_LETTERS})*")


def _read_stop_words() -> frozenset[str]:
    lines = Path(__file__).with_name("stop_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(_fold(word) for line in lines for word in line.split()[1:])


def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


_STOP_WORDS = _read_stop_words()


def english(text: str, places: Places) -> list[Words]:
    """Return the word at the start of each place, in ascending order; none between words and for stop words."""
    spans = [(start, stop, word, False) for start, stop, word in words.spans(text)]
    return _words_at(text, places, spans, words.STOP_WORDS)


def multilingual(text: str, places: Places) -> list[Words]:
    """Return the words at each place: the one of its first letter or digit, or the pairs of characters inside it."""
    places = [
        (next((place for place in range(start, stop) if text[place].isalnum()), start), stop) for start, stop in places
    ]
    spans = [
        (match.start(), match.end(), _fold(match.group()), match["unspaced"] is not None)
        for match in _WORD.finditer(text)
    ]
    return _words_at(text, places, spans, _STOP_WORDS)


def _words_at(
    text: str, places: Places, spans: Sequence[tuple[int, int, str, bool]], stop_words: frozenset[str]
) -> list[Words]:
    found: list[Words] = []
    number = 0
    for start, stop in places:
        while number < len(spans) and spans[number][1] <= start:
            number += 1
        if number == len(spans) or spans[number][0] > start:
            found.append(())
            continue
        first, last, word, unspaced = spans[number]
        if unspaced:
            found.append(_pairs(text, start, min(stop, last), first=first, last=last))
        else:
            found.append(() if word in stop_words else (word,))
    return found


def _pairs(text: str, start: int, stop: int, *, first: int, last: int) -> Words:
    """Return the pairs of characters between `start` and `stop`; of a single one, that with a neighbour."""
    if stop - start < 2:
        start = max(min(start, last - 2), first)
        stop = min(start + 2, last)
    return tuple(_fold(text[place : min(place + 2, stop)]) for place in range(start, max(stop - 1, start + 1)))
