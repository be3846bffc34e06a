"""Words as the CPU backends see them: how a text is split, and a fixed direction for every word."""

import re
import unicodedata
from functools import lru_cache
from hashlib import shake_128
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

# Inner signs keep identifiers whole: 2024-117, 1,250.00, 10/12.
_WORD = re.compile(r"[^\W_]+(?:[.,/-][^\W_]+)*")
_GAUSSIAN = np.array([NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)], dtype=np.float32)

STOP_WORDS = frozenset(
    """
    a about after all also an and any are as at be been before being but by can could did do does for from had has
    have he her him his how i if in into is it its me more most my no nor not of on or our out over she so some
    such than that the their them then there these they this those through to under up was we were what when where
    which who whom whose why will with would you your
    """.split()  # noqa: SIM905 - as words on a page, not as a column of strings
)


def split(text: str) -> list[str]:
    """The words of a text, in order, in one spelling: compatibility forms and capitals are folded."""
    return [word for _, _, word in spans(text)]


def spans(text: str) -> list[tuple[int, int, str]]:
    """Where each word of a text begins and ends, and the word in its one spelling."""
    found = _WORD.finditer(text)
    return [(one.start(), one.end(), unicodedata.normalize("NFKC", one.group()).casefold()) for one in found]


@lru_cache(maxsize=65536)
def direction(word: str, *, dim: int) -> NDArray[np.float32]:
    """The unit vector (dim,) of a word. It never changes: not with the machine, the NumPy version or the process."""
    drawn = np.frombuffer(shake_128(word.encode("utf-8", "surrogatepass")).digest(dim), dtype=np.uint8)
    vector = _GAUSSIAN[drawn]
    vector /= np.linalg.norm(vector)
    vector.flags.writeable = False
    return vector
