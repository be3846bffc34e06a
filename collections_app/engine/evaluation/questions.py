"""Questions with the pages or documents that answer them.

As text, questions are JSON lines with `_id` and `text`, and judgements are lines of `query-id`, `corpus-id` and `score`
separated by tabs after a header line. A corpus-id is `file.pdf#3` for the third page, or `file.pdf` for any page.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from collections_app.engine.evaluation.errors import QuestionsInvalid
from collections_app.engine.text_rules import UNSTORABLE
from paliapi.errors import MAX_PROBLEMS, Problem
from paliapi.units import MAX_NAME_LENGTH

MAX_QUESTIONS = 1000
MAX_JUDGEMENTS = 10_000
MAX_TEXT_LENGTH = 2000
MAX_ID_LENGTH = 255
MAX_GRADE = 10
MAX_PAGE_NUMBER = 2**31 - 1

_PAGE = re.compile(r"(?s)(.+)#([1-9][0-9]{0,9})")
_GRADE = re.compile(r"-?[0-9]{1,4}")
_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """A page, or without a number a document, that answers a question; the grade says how well."""

    document: str
    page: int | None
    grade: int

    @property
    def item(self) -> tuple[str, int | None]:
        return self.document, self.page


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what answers it."""

    id: str
    text: str
    relevant: tuple[Judgement, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "text": self.text,
            "relevant": [[one.document, one.page, one.grade] for one in self.relevant],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Question":
        return cls(stored["id"], stored["text"], tuple(Judgement(*one) for one in stored["relevant"]))


@dataclass(slots=True)
class _Problems:
    """Collects what is wrong, so that a client learns of several mistakes at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, pointer: str, detail: str) -> None:
        self.found.append(Problem(pointer, QuestionsInvalid.code, detail))
        if len(self.found) >= MAX_PROBLEMS:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        if self.found:
            raise QuestionsInvalid(self.found[0].detail, problems=tuple(self.found))


def parse(queries: str, qrels: str) -> tuple[Question, ...]:
    """Return the questions of two texts; raise QuestionsInvalid if they are malformed."""
    problems = _Problems()
    texts = _parse_queries(queries, problems)
    relevant = _parse_qrels(qrels, texts, problems)
    problems.raise_if_any()
    return check([Question(name, text, tuple(relevant.get(name, ()))) for name, text in texts.items()])


def check(questions: Sequence[Question]) -> tuple[Question, ...]:
    """Return the questions with what answers them; those without a judgement above zero are left out.

    Raise QuestionsInvalid if there are none or too many, if an id or a judgement is repeated, or if some judgements
    name pages and others whole documents.
    """
    problems = _Problems()
    ids: set[str] = set()
    for index, question in enumerate(questions):
        at = f"/questions/{index}"
        if question.id in ids:
            problems.add(f"{at}/id", f"The id {_quote(question.id)} is repeated.")
        ids.add(question.id)
        if detail := _text_problem(question.id, MAX_ID_LENGTH):
            problems.add(f"{at}/id", f"An id {detail}.")
        if detail := _text_problem(question.text, MAX_TEXT_LENGTH):
            problems.add(f"{at}/text", f"The text of {_quote(question.id)} {detail}.")
        _check_judgements(question, at, problems)
    judged = tuple(one for one in map(_without_irrelevant, questions) if one.relevant)
    if not judged:
        problems.add("/questions", "No question has a relevant page or document.")
    if len(judged) > MAX_QUESTIONS:
        problems.add("/questions", f"There are more than {MAX_QUESTIONS} questions with judgements.")
    if sum(len(one.relevant) for one in judged) > MAX_JUDGEMENTS:
        problems.add("/questions", f"There are more than {MAX_JUDGEMENTS} judgements.")
    if len({item.page is None for one in judged for item in one.relevant}) > 1:
        problems.add("/questions", "Judge either pages or whole documents, not both.")
    problems.raise_if_any()
    return judged


def _check_judgements(question: Question, at: str, problems: _Problems) -> None:
    items: set[tuple[str, int | None]] = set()
    for index, judgement in enumerate(question.relevant):
        where = f"{at}/relevant/{index}"
        if judgement.item in items:
            problems.add(where, f"A judgement of {_quote(question.id)} is repeated.")
        items.add(judgement.item)
        if detail := _text_problem(judgement.document, MAX_NAME_LENGTH):
            problems.add(where, f"A document name {detail}.")
        if judgement.page is not None and not 1 <= judgement.page <= MAX_PAGE_NUMBER:
            problems.add(where, "A page number is out of range.")
        if judgement.grade > MAX_GRADE:
            problems.add(where, f"A grade may be at most {MAX_GRADE}.")


def _without_irrelevant(question: Question) -> Question:
    return Question(question.id, question.text, tuple(one for one in question.relevant if one.grade > 0))


def _parse_queries(text: str, problems: _Problems) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, line in _lines(text):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            problems.add("/queries", f"Line {number} is not a JSON object.")
            continue
        name, words = row.get("_id", row.get("id")), row.get("text")
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name) if abs(name) < 2**63 else None
        if not isinstance(name, str) or not isinstance(words, str):
            problems.add("/queries", f"Line {number} needs `_id` and `text`.")
        elif name in texts:
            problems.add("/queries", f"Line {number} repeats the id {_quote(name)}.")
        else:
            texts[name] = words
    return texts


def _parse_qrels(text: str, texts: dict[str, str], problems: _Problems) -> dict[str, list[Judgement]]:
    relevant: dict[str, list[Judgement]] = {}
    for number, line in _lines(text):
        cells = line.split("\t")
        is_header = number == 1 and not _GRADE.fullmatch(cells[-1].strip())
        if is_header and len(cells) == _COLUMNS:
            continue
        if len(cells) != _COLUMNS or not _GRADE.fullmatch(cells[2].strip()):
            problems.add("/qrels", f"Line {number} must have an id, a page or document, and a whole number.")
            continue
        name, item, grade = cells[0], cells[1], int(cells[2])
        if name not in texts:
            problems.add("/qrels", f"Line {number} judges the unknown question {_quote(name)}.")
            continue
        match = _PAGE.fullmatch(item)
        page = Judgement(match[1], int(match[2]), grade) if match else Judgement(item, None, grade)
        relevant.setdefault(name, []).append(page)
    return relevant


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers. Unlike `splitlines`, only line feeds end one."""
    lines: Iterable[str] = text.removeprefix("\ufeff").split("\n")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _text_problem(text: str, max_length: int) -> str | None:
    if not text.strip():
        return "may not be blank"
    if len(text) > max_length:
        return f"has more than {max_length} characters"
    return "contains a NUL character or an unpaired surrogate" if UNSTORABLE.search(text) else None


def _quote(text: str) -> str:
    return json.dumps(text if len(text) <= 40 else text[:40] + "...")
