"""Draw the questions that are titles of pages: `python -m benchmarks.quality.titles`

Prints lines for questions.txt. Titles that several pages share, or of fewer than three words, are left out.
"""

import random
import sys
from collections import Counter

from benchmarks.quality.documentation import pages
from benchmarks.quality.fetch import FOLDER

_COUNT, _SEED, _LEAST_WORDS, _MOST_WORDS = 100, 17, 3, 14


def main() -> int:
    """Print one line per title."""
    english = [page for page in pages(FOLDER) if page.language == "en"]
    times = Counter(page.title.casefold() for page in english)
    known = [
        page
        for page in english
        if times[page.title.casefold()] == 1 and _LEAST_WORDS <= len(page.title.split()) <= _MOST_WORDS
    ]
    for page in random.Random(_SEED).sample(known, _COUNT):  # noqa: S311 - the same titles every time
        sys.stdout.write(f"title | {page.title} | {page.key}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
