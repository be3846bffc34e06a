"""Create a retrieval test set: `python -m benchmarks.search.documentation FOLDER`

Writes the documentation of Python's standard library as PDFs, one page per function and class, with
queries (queries.jsonl) and the pages that answer them (qrels.tsv). The queries were written by hand.
"""

import importlib
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import text_pdf

# Module names; after an empty line, one query and its answers per line.
_QUESTIONS = Path(__file__).with_name("documentation_questions.txt")
_LEAST_LETTERS = 50
_LINES, _LETTERS = 60, 92


def main(folder: Path) -> int:
    """Write pages, queries and relevance judgements."""
    pages = folder / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    places: dict[str, str] = {}
    modules, judged_queries = modules_and_questions()
    for module in modules:
        entries = list(named_texts(module))
        if entries:
            file = f"{module}.pdf"
            (pages / file).write_bytes(text_pdf.write([_page(name, text) for name, text in entries]))
            places |= {name: f"{file}#{number}" for number, (name, _) in enumerate(entries, start=1)}
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as queries:
        queries.writelines(
            json.dumps({"_id": str(number), "text": text}) + "\n" for number, (text, _) in enumerate(judged_queries)
        )
    with (folder / "qrels.tsv").open("w", encoding="utf-8") as qrels:
        qrels.write("query-id\tcorpus-id\tscore\n")
        qrels.writelines(f"{number}\t{places[name]}\t1\n" for number, (_, name) in enumerate(judged_queries))
    sys.stdout.write(f"{len(places)} pages in {folder}, {len(judged_queries)} queries\n")
    return 0


def modules_and_questions() -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of the modules, and each question with the name of the page that answers it."""
    modules, questions = _QUESTIONS.read_text(encoding="utf-8").split("\n\n")
    rows = (line.split(" | ") for line in questions.splitlines())
    return modules.split(), [(text, name) for text, name in rows]


def named_texts(name: str) -> Iterator[tuple[str, str]]:
    """Generate the documented names of a module in alphabetical order, with their texts."""
    module = importlib.import_module(name)
    own = [word for word, thing in vars(module).items() if getattr(thing, "__module__", "") in (name, f"_{name}")]
    for word in sorted(getattr(module, "__all__", own)):
        thing = getattr(module, word)
        text = _text(thing) if inspect.isclass(thing) or inspect.isroutine(thing) else ""
        if len(text) >= _LEAST_LETTERS and not word.startswith("_"):
            yield f"{name}.{word}", text


def _text(thing: object) -> str:
    """Return its documentation; for a class, with the first line of each method."""
    parts = [inspect.getdoc(thing) or ""]
    if inspect.isclass(thing):
        for word, method in sorted(vars(thing).items()):
            said = inspect.getdoc(method) or "" if inspect.isroutine(method) and not word.startswith("_") else ""
            if said:
                parts.append(f"{word}: {said.splitlines()[0]}")
    return "\n".join(parts)


def _page(name: str, text: str) -> list[text_pdf.Line]:
    wrapped = [line for one in text.splitlines() for line in textwrap.wrap(one, _LETTERS) or [""]]
    lines = (text_pdf.Line(line, 50, 770 - 12 * number, 10) for number, line in enumerate(wrapped[:_LINES]) if line)
    return [text_pdf.Line(name, 50, 800, 16), *lines]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
