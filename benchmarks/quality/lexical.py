"""Word search without a database: BM25, the share of a question's words that a page has, and its identifiers."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.identifiers import identifiers
from embeddings.backends import words

_K1, _B = 1.2, 0.75
# Words and identifiers, which have punctuation inside, as the full-text index of Postgres has them.
_NAME = re.compile(r"[^\W_]+(?:(?:[^\w\s]|_)+[^\W_]+)*")


class Words:
    """An index of the words of some pages, split as the built-in models split them."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(words.split(text)) for text in texts]
        lengths = np.array([one.total() for one in counted], dtype=np.float64)
        self._pages = len(texts)
        self._damping = _K1 * (1 - _B + _B * lengths / lengths.mean())
        postings: dict[str, list[tuple[int, int]]] = {}
        for number, one in enumerate(counted):
            for word, times in one.items():
                postings.setdefault(word, []).append((number, times))
        self._postings = {word: np.array(pairs, dtype=np.int64) for word, pairs in postings.items()}
        self._names: dict[str, list[int]] = {}
        for number, text in enumerate(texts):
            for name in _names(text):
                self._names.setdefault(name, []).append(number)

    def bm25(self, question: str) -> NDArray[np.float64]:
        """Return the score of each page."""
        scores = np.zeros(self._pages)
        for word in set(words.split(question)) & self._postings.keys():
            pages, times = self._postings[word].T
            scores[pages] += self._rarity(word) * times * (_K1 + 1) / (times + self._damping[pages])
        return scores

    def coverage(self, question: str) -> NDArray[np.float64]:
        """Return the share of the question's words that each page has, where rare words count more."""
        counted_words = set(words.split(question)) - words.STOP_WORDS
        scores = np.zeros(self._pages)
        for word in counted_words & self._postings.keys():
            scores[self._postings[word][:, 0]] += self._rarity(word)
        return scores / max(sum(map(self._rarity, counted_words)), 1e-9)

    def has_identifier(self, question: str, *, at_most: int) -> NDArray[np.bool_]:
        """Return whether each page has an identifier of the question that at most so many pages have."""
        known = [self._names.get(name, []) for name in identifiers(question)]
        result = np.zeros(self._pages, dtype=np.bool_)
        for pages in known:
            if len(pages) <= at_most:
                result[pages] = True
        return result

    def _rarity(self, word: str) -> float:
        pages = len(self._postings.get(word, ()))
        return math.log1p((self._pages - pages + 0.5) / (pages + 0.5))


def _names(text: str) -> set[str]:
    apart = _NAME.findall(unicodedata.normalize("NFKC", text))
    return {"".join(filter(str.isalnum, name)).lower() for name in apart}
