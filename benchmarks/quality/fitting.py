"""Other texts, on which parameters may be fitted: the documentation of Python's standard library.

The questions are those of `make bench-retrieval`, the first sentences of a sample of the pages (which then lack them),
some in other languages, and a sample of the names that occur on one page only.
"""

import random
import re
from collections import Counter
from pathlib import Path

from benchmarks.quality.documentation import Page
from benchmarks.quality.questions import Question
from benchmarks.search.documentation import modules_and_questions, named_texts

_FOREIGN = Path(__file__).with_name("fitting_questions.txt")
_LENGTH = 1500
_SAMPLE, _SEED, _LEAST_WORDS, _LEAST_TEXT = 100, 23, 5, 200
_IDENTIFIER = re.compile(r"\b(?=\w*[\d_])[A-Za-z]\w{4,}\b")


def fitting_texts() -> tuple[list[Page], list[Question]]:
    """Return the pages and the questions."""
    modules, by_hand = modules_and_questions()
    pages = [Page(name, "en", name, f"{name}\n{text}"[:_LENGTH]) for one in modules for name, text in named_texts(one)]
    questions = [Question("english", text, frozenset([name])) for text, name in by_hand]
    foreign = [line.split(" | ") for line in _FOREIGN.read_text(encoding="utf-8").splitlines()]
    questions += [Question(kind, text, frozenset([name])) for kind, text, name in foreign]
    questions += _identifiers(pages)
    return _with_titles(pages, questions)


def _identifiers(pages: list[Page]) -> list[Question]:
    """Return names that one page contains, besides its own."""
    names = {page.key: set(_IDENTIFIER.findall(page.text.partition("\n")[2])) for page in pages}
    times = Counter(name for every in names.values() for name in every)
    known = sorted((name, key) for key, every in names.items() for name in every if times[name] == 1)
    chosen = random.Random(_SEED).sample(known, _SAMPLE)  # noqa: S311 - the same names every time
    return [Question("identifier", name, frozenset([key])) for name, key in chosen]


def _with_titles(pages: list[Page], questions: list[Question]) -> tuple[list[Page], list[Question]]:
    """Make the first sentence of some pages a question, and remove it from the page."""
    answered = {key for question in questions for key in question.keys}
    known = [page for page in pages if page.key not in answered and len(page.text) > _LEAST_TEXT and _sentence(page)]
    chosen = {page.key for page in random.Random(_SEED).sample(known, _SAMPLE)}  # noqa: S311 - as above
    titles = [Question("title", _sentence(page), frozenset([page.key])) for page in pages if page.key in chosen]
    without = [
        Page(page.key, page.language, page.title, page.text.replace(_sentence(page), "", 1))
        if page.key in chosen
        else page
        for page in pages
    ]
    return without, titles + questions


def _sentence(page: Page) -> str:
    """Return the first sentence after the name, or nothing if it is short."""
    first = re.split(r"\.\s|\n", page.text.partition("\n")[2].strip(), maxsplit=1)[0]
    return first if len(first.split()) >= _LEAST_WORDS else ""
