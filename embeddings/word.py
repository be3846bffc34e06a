"""A word of a page. Plain Python: even the process that draws pages can afford to import it."""

from typing import NamedTuple


class Word(NamedTuple):
    """One word of a page's text layer; the box is relative to the page, from 0 at the left and the top to 1."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
