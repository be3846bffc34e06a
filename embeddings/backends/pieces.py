"""Splits text into word pieces, and keeps track of the words and the input word that each piece belongs to."""

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.backends.encoders.word_rules import Places, Words

# From a text to the numbers of its pieces, and from where to where each is in the text.
Split = Callable[[str], tuple[Sequence[int], Places]]
WordRules = Callable[[str, Places], list[Words]]


@dataclass(frozen=True, slots=True, eq=False)
class WordPieces:
    """The word pieces of a text."""

    # Token ids (n).
    ids: NDArray[np.int64]
    # The words that each piece is part of; none for stop words and for text between words.
    words: list[Words]
    # The index of the input word that each piece comes from.
    sources: list[int]
    # True (n) for pieces that get a vector: those with a letter or digit.
    embedded: NDArray[np.bool_]


def tokenize(text: str | Sequence[str], *, split: Split, rules: WordRules) -> WordPieces:
    """Return the word pieces of a text, or of a sequence of words."""
    parts = [text] if isinstance(text, str) else list(text)
    joined = " ".join(parts)
    starts = np.cumsum([0, *(len(part) + 1 for part in parts[:-1])]).tolist()
    ids, places = split(joined)
    # Some tokenizers join the blank before a word to it.
    inner = [start + (joined[start:stop].startswith(" ") and stop > start + 1) for start, stop in places]
    return WordPieces(
        ids=np.array(ids, dtype=np.int64),
        words=rules(joined, places),
        sources=[bisect.bisect_right(starts, start) - 1 for start in inner],
        embedded=np.array([any(map(str.isalnum, joined[start:stop])) for start, stop in places], dtype=np.bool_),
    )
