"""Cuts text into the pieces a model reads, and remembers which word, and which given word, each piece belongs to."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from embeddings.backends import words


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """`ids` (n) for the model; `words` what each piece is part of, empty for words that say nothing;
    `sources` the number of the given word it comes from; `kept` (n) whether it is worth a vector."""

    ids: NDArray[np.int64]
    words: list[str]
    sources: list[int]
    kept: NDArray[np.bool_]


def cut(text: str | Sequence[str], *, tokenizer: Tokenizer) -> Pieces:
    """The pieces of a text, or of words that were given one by one."""
    given = [text] if isinstance(text, str) else list(text)
    joined = " ".join(given)
    starts = np.cumsum([0, *(len(one) + 1 for one in given[:-1])]).tolist()
    encoded = tokenizer.encode(joined, add_special_tokens=False)
    offsets = encoded.offsets
    spans = words.spans(joined)
    return Pieces(
        ids=np.array(encoded.ids, dtype=np.int64),
        words=_words_at([start for start, _ in offsets], spans),
        sources=[bisect.bisect_right(starts, start) - 1 for start, _ in offsets],
        kept=np.array([any(map(str.isalnum, joined[start:stop])) for start, stop in offsets], dtype=np.bool_),
    )


def _words_at(places: Sequence[int], spans: Sequence[tuple[int, int, str]]) -> list[str]:
    """The word at each place, both in ascending order; nothing for places between words and for stop words."""
    found, number = [], 0
    for place in places:
        while number < len(spans) and spans[number][1] <= place:
            number += 1
        inside = number < len(spans) and spans[number][0] <= place
        word = spans[number][2] if inside else ""
        found.append("" if word in words.STOP_WORDS else word)
    return found
