"""A word of a page, and the limits of a page's words. Plain Python, because the rendering process imports it."""

from typing import Final, NamedTuple

MAX_WORDS: Final = 20_000
MAX_WORD_LENGTH: Final = 1_000


class Word(NamedTuple):
    """A word of a page's text layer. Its box is relative to the page: 0 is the left or top edge, 1 the other one."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
