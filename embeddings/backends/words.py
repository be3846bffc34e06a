"""Words for the CPU backends: splits a text, and assigns a fixed direction to every word."""

import re
import unicodedata
from functools import lru_cache
from hashlib import shake_128
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

# Punctuation inside a word keeps identifiers whole: 2024-117, 1,250.00, 10/12.
_WORD = re.compile(r"[^\W_]+(?:[.,/-][^\W_]+)*")
_GAUSSIAN = np.array([NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)], dtype=np.float32)

STOP_WORDS = frozenset(
    """
    a about after all also an and any are as at be been before being but by can could did do does for from had has
    have he her him his how i if in into is it its me more most my no nor not of on or our out over she so some
    such than that the their them then there these they this those through to under up was we were what when where
    which who whom whose why will with would you your
    """.split()  # noqa: SIM905 - a list of strings would be a long column
)


def split(text: str) -> list[str]:
    """Return the words of a text in order, normalised: compatibility forms and case are folded."""
    return [word for _, _, word in spans(text)]


def spans(text: str) -> list[tuple[int, int, str]]:
    """Return the start, the end and the normalised form of each word of a text."""
    return [
        (match.start(), match.end(), unicodedata.normalize("NFKC", match.group()).casefold())
        for match in _WORD.finditer(text)
    ]


@lru_cache(maxsize=65536)
def direction(word: str, *, dim: int) -> NDArray[np.float32]:
    """Return the unit vector (dim,) of a word. It is the same for every machine, NumPy version and process."""
    noise = np.frombuffer(shake_128(word.encode("utf-8", "surrogatepass")).digest(dim), dtype=np.uint8)
    vector = _GAUSSIAN[noise]
    vector /= np.linalg.norm(vector)
    vector.flags.writeable = False
    return vector
