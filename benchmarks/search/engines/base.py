"""What is measured: something that keeps pages and answers questions with the numbers of the best ten."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from benchmarks.search.corpus import Corpus
from benchmarks.search.synthetic import QUESTIONS

MINIMUM_RECALL = 0.97


class Engine(ABC):
    """One way of searching. It is built and asked in a process of its own."""

    # More would take too long.
    most_questions: ClassVar[int] = QUESTIONS
    rounds: ClassVar[int] = 3
    note: ClassVar[str] = ""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus

    @abstractmethod
    def build(self) -> None:
        """Take the pages in."""

    @abstractmethod
    def search(self, question: int, setting: str) -> list[int]:
        """The numbers of the ten best pages, best first."""

    @abstractmethod
    def bytes_per_page(self) -> float:
        """What is kept for one page."""

    def close(self) -> None:  # noqa: B027 - most have nothing to do
        """Take away what was put on disk."""

    def settings(self) -> Sequence[str]:
        """Names of the ways to ask, from the quickest to the most careful."""
        return ("",)

    def scale(self) -> float:
        """By how much the times grow to those of all pages, where only some of them were taken in."""
        return 1.0

    def recall(self, question: int, found: Sequence[int]) -> float:
        return self.corpus.recall(question, found)

    def is_best(self, question: int, found: Sequence[int]) -> bool:
        """Whether the first is the one that exact scoring puts first."""
        return list(found[:1]) == self.corpus.best(question)[:1]
