"""Splits text into the pieces of multilingual-e5-small, and finds the place of each piece in the text.

Text is normalized to NFKC; each run of blanks, and the beginning of the text, becomes one mark in front of the word
that follows. `sentencepiece` then splits each word. It holds the 250,000 pieces in a quarter of the memory that
`tokenizers` takes, but knows no places in a text that was normalized, so places are counted here.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from sentencepiece import SentencePieceProcessor

from embeddings.backends.encoders.word_rules import Places

_MARK: Final = "\u2581"
_SPECIAL: Final = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_UNKNOWN: Final = 3
# Unicode's White_Space; that of `re` has four control characters more.
_BLANKS: Final = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WORD: Final = re.compile(rf"(?P<before>[{_BLANKS}]+|{_MARK}|\A)(?P<word>[^{_BLANKS}{_MARK}]*)")
# Longer sequences of marks, which only hostile text has, would take quadratic time.
_CLUSTER: Final = 32
_ASCII: Final = re.compile(r"[\x00-\x7f]+")


class Unigram:
    """The tokenizer. Text never becomes one of the special pieces. Many threads may use it at the same time."""

    def __init__(self, vocabulary: Iterable[tuple[str, float]]) -> None:
        lengths: list[int] = []
        self._processor = SentencePieceProcessor(model_proto=_model(vocabulary, lengths))
        self._lengths = bytes(lengths)

    def split(self, text: str) -> tuple[list[int], Places]:
        """Return the numbers of the pieces of a text, and from where to where each is in the text."""
        normalized, sources = _normalize(text)
        ids: list[int] = []
        places: list[tuple[int, int]] = []
        for match in _WORD.finditer(normalized) if normalized else ():
            word = match["word"]
            of_word, lengths = self._split_word(_MARK + word)
            ids += of_word
            # Of several blanks, the last is the one before the word; at the beginning there is none.
            first = match.start("word") - 1
            for start, stop in pairwise(accumulate(lengths, initial=first)):
                begin, last = max(start, 0), max(stop - 1, 0)
                places.append((sources[begin], sources[last] + 1) if sources else (begin, last + 1))
        return ids, places

    def _split_word(self, word: str) -> tuple[list[int], Sequence[int]]:
        """Return the numbers of the pieces of a word, and their lengths."""
        ids = self._processor.encode(word)
        if _UNKNOWN in ids:
            return ids, [len(piece) for piece in self._processor.encode(word, out_type=str)]
        return ids, [self._lengths[number] for number in ids]


def _normalize(text: str) -> tuple[str, Sequence[int]]:
    """Return the text in NFKC, and where in the text each of its characters comes from; nothing if it is unchanged."""
    if text.isascii():
        return text, ()
    encodable = text.encode("utf-8", "replace").decode()  # a lone surrogate is not
    characters: list[str] = []
    sources: list[int] = []
    for start, cluster in _clusters(encodable):
        normalized = cluster if cluster.isascii() else unicodedata.normalize("NFKC", cluster)
        last = len(cluster) - 1
        characters.append(normalized)
        sources += [start + min(number, last) for number in range(len(normalized))]
    return "".join(characters), sources


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Yield parts of a text that can be normalized alone, each with its place."""
    start = 0
    for place, character in enumerate(text):
        if place > start and (place - start == _CLUSTER or not combines(character)):
            yield start, text[start:place]
            start = place
    yield start, text[start:]


@lru_cache(maxsize=1 << 14)
def combines(character: str) -> bool:
    """Whether a character can become one with those before it: marks, and the later letters of a Hangul syllable."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first).startswith("M") or "\u1160" <= first <= "\u11ff"


def _model(vocabulary: Iterable[tuple[str, float]], lengths: list[int]) -> bytes:
    """Return the vocabulary in the format of `sentencepiece`, and add the length of each piece to `lengths`.

    The format is that of protocol buffers: each field is preceded by its number and type, and text by its length,
    which is less than 128 here.
    """
    model = bytearray()
    for number, (piece, score) in enumerate(vocabulary):
        lengths.append(len(piece))
        text = piece.encode()
        kind = b"" if piece not in _SPECIAL else b"\x18\x02" if number == _UNKNOWN else b"\x18\x03"
        entry = b"\n%c%b\x15%b%b" % (len(text), text, struct.pack("<f", score), kind)
        model += b"\n%c%b" % (len(entry), entry)
    # No rules, no blank in front, and blanks are kept as they are.
    normalizer = b"\n\x08identity\x18\x00\x20\x00\x28\x00"
    return bytes(model + b"\x1a%c%b" % (len(normalizer), normalizer))
