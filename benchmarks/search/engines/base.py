"""The interface of a measured engine: it stores pages and answers queries with the ten best page numbers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from benchmarks.search.corpus import Corpus
from benchmarks.search.synthetic import QUESTIONS

MINIMUM_RECALL = 0.97


class Engine(ABC):
    """An engine. It is built and queried in a process of its own."""

    # More pages would take too long.
    most_questions: ClassVar[int] = QUESTIONS
    rounds: ClassVar[int] = 3
    note: ClassVar[str] = ""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus

    @abstractmethod
    def build(self) -> None:
        """Index the pages."""

    @abstractmethod
    def search(self, question: int, setting: str) -> list[int]:
        """Return the numbers of the ten best pages, best first."""

    @abstractmethod
    def bytes_per_page(self) -> float:
        """Return the bytes stored per page."""

    def close(self) -> None:  # noqa: B027 - most have nothing to do
        """Delete what was written to disk."""

    def settings(self) -> Sequence[str]:
        """Return the settings to try, from the fastest to the most accurate."""
        return ("",)

    def scale(self) -> float:
        """Return the factor that scales times to all pages, if only some were indexed."""
        return 1.0

    def recall(self, question: int, hits: Sequence[int]) -> float:
        return self.corpus.recall(question, hits)

    def is_best(self, question: int, hits: Sequence[int]) -> bool:
        """Return whether the first result is the best page by exact scoring."""
        return list(hits[:1]) == self.corpus.best(question)[:1]
