"""Splits text into word pieces, and keeps track of the word and the input word that each piece belongs to."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from embeddings.backends import words


@dataclass(frozen=True, slots=True, eq=False)
class WordPieces:
    """The word pieces of a text."""

    # Token ids (n).
    ids: NDArray[np.int64]
    # The word that each piece is part of; empty for stop words and for text between words.
    words: list[str]
    # The index of the input word that each piece comes from.
    sources: list[int]
    # True (n) for pieces that get a vector: those with a letter or digit.
    embedded: NDArray[np.bool_]


def tokenize(text: str | Sequence[str], *, tokenizer: Tokenizer) -> WordPieces:
    """Return the word pieces of a text, or of a sequence of words."""
    parts = [text] if isinstance(text, str) else list(text)
    joined = " ".join(parts)
    starts = np.cumsum([0, *(len(part) + 1 for part in parts[:-1])]).tolist()
    encoded = tokenizer.encode(joined, add_special_tokens=False)
    offsets = encoded.offsets
    spans = words.spans(joined)
    return WordPieces(
        ids=np.array(encoded.ids, dtype=np.int64),
        words=_words_at([start for start, _ in offsets], spans),
        sources=[bisect.bisect_right(starts, start) - 1 for start, _ in offsets],
        embedded=np.array([any(map(str.isalnum, joined[start:stop])) for start, stop in offsets], dtype=np.bool_),
    )


def _words_at(positions: Sequence[int], spans: Sequence[tuple[int, int, str]]) -> list[str]:
    """Return the word at each position, both in ascending order; empty between words and for stop words."""
    at_positions, number = [], 0
    for position in positions:
        while number < len(spans) and spans[number][1] <= position:
            number += 1
        inside = number < len(spans) and spans[number][0] <= position
        word = spans[number][2] if inside else ""
        at_positions.append("" if word in words.STOP_WORDS else word)
    return at_positions
