"""Plain English: the lapses that CONTRIBUTING.md names, counted where people read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from paliapi.env import ROOT
from tests.house.test_code import sources
from tests.house.test_prose import PAGES

# Never in pages, error titles and API descriptions.
LAPSES = re.compile(r"\b(tell|tells|told|nobody|somebody|whoever|beside|goes on|of these the)\b", re.IGNORECASE)
SPEECH = re.compile(r"(?<![a-z])(tell|tells|telling|told)(?![a-z])", re.IGNORECASE)
PERSONS = re.compile(r"(?<![a-z])(nobody|somebody|anybody|whoever)(?![a-z])", re.IGNORECASE)
EMPTY_NAMES = {"found", "told", "made", "kept", "wanted", "asked"}
SPEECH_PER_1000, PERSONS_PER_1000, EMPTY_NAMES_PER_1000 = 0.3, 0.2, 0.5
IMPERATIVE_SHARE = 0.6

# The words with which an imperative sentence about code starts.
VERBS = frozenset((ROOT / "tests" / "house" / "imperative_verbs.txt").read_text().split())


def text_of(page: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def functions_without_properties() -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_property(node):
                yield node


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)}
    return bool(names & {"property", "cached_property"})


def lines_of_code() -> Iterator[str]:
    for file in sources():
        yield from file.read_text().splitlines()


@pytest.mark.parametrize(
    "page",
    [*PAGES, ROOT / ".env.example", ROOT / "docs" / "openapi.yaml"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_pages_are_in_plain_english(page: Path) -> None:
    text = text_of(page)
    if page.name == "CONTRIBUTING.md":
        text = text.partition("## Style")[0]  # the rest names them
    assert [match[0] for match in LAPSES.finditer(text)] == []


def test_code_speaks_of_programs_as_programs() -> None:
    lines = list(lines_of_code())
    thousands = len(lines) / 1000
    assert sum(len(SPEECH.findall(line)) for line in lines) / thousands <= SPEECH_PER_1000
    assert sum(len(PERSONS.findall(line)) for line in lines) / thousands <= PERSONS_PER_1000


def test_function_docstrings_are_imperative() -> None:
    docstrings = [text for node in functions_without_properties() if (text := ast.get_docstring(node))]
    imperative = [text for text in docstrings if re.split(r"\W", text, maxsplit=1)[0].lower() in VERBS]
    assert len(imperative) / len(docstrings) >= IMPERATIVE_SHARE


def test_variables_say_what_they_hold() -> None:
    names = [
        node.id
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    lines = sum(1 for _ in lines_of_code())
    assert sum(name in EMPTY_NAMES for name in names) / lines * 1000 <= EMPTY_NAMES_PER_1000
