"""The questions, and which pages answer them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.documentation import Page

KINDS = ("title", "english", "german", "french", "spanish", "russian", "japanese", "own language", "identifier")
_FILE = Path(__file__).with_name("questions.txt")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the keys of the pages that answer it."""

    kind: str
    text: str
    keys: frozenset[str]

    def answers(self, pages: Sequence[Page]) -> list[int]:
        """Return the indices of the pages that answer it, in any language."""
        return [number for number, page in enumerate(pages) if page.key in self.keys]


def questions(file: Path = _FILE) -> list[Question]:
    """Return all questions in the order of the file."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    rows = [line.split(" | ") for line in lines]
    return [Question(kind, text, frozenset(keys.split())) for kind, text, keys in rows]
