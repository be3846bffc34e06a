"""Scores of pages for questions, by each way of searching."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import encoded, fetch, ranks
from benchmarks.quality.documentation import Page, pages
from benchmarks.quality.fitting import fitting_texts
from benchmarks.quality.lexical import Words
from benchmarks.quality.questions import Question, questions
from collections_app.engine.retrieval import fusion

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Pages, questions about them, and the right pages of each question."""

    pages: Sequence[Page]
    questions: Sequence[Question]
    answers: Sequence[Sequence[int]]
    words: Words

    @classmethod
    def of(cls, known: Sequence[Page], questions: Sequence[Question]) -> "Evaluation":
        answers = [one.answers(known) for one in questions]
        unanswerable = [one.text for one, right in zip(questions, answers, strict=True) if not right]
        if unanswerable:
            raise SystemExit(f"No page answers {unanswerable}.")
        return cls(known, questions, answers, Words([page.text for page in known]))

    @classmethod
    def held_out(cls) -> "Evaluation":
        """Return the questions that nothing may be fitted on."""
        return cls.of(pages(fetch.FOLDER), questions())

    @classmethod
    def for_fitting(cls) -> "Evaluation":
        return cls.of(*fitting_texts())

    def maxsim(self, model: str) -> Scores:
        """Return the scores by a model, from 0 to 1 (questions, pages)."""
        queries = encoded.encode(model, [one.text for one in self.questions], task="query")
        known = encoded.encode(model, [page.text for page in self.pages], task="document")
        return ranks.maxsim(queries, known).astype(np.float64)

    def bm25(self) -> Scores:
        return np.stack([self.words.bm25(one.text) for one in self.questions])

    def coverage(self) -> Scores:
        """Return the share of each question's words that each page has."""
        return np.stack([self.words.coverage(one.text) for one in self.questions])

    def has_identifier(self, *, at_most: int) -> NDArray[np.bool_]:
        """Return whether each page has an identifier of each question that at most so many pages have."""
        return np.stack([self.words.has_identifier(one.text, at_most=at_most) for one in self.questions])

    def ranks(self, scores: Scores) -> NDArray[np.float64]:
        return ranks.ranks(scores, self.answers)

    def kinds(self) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of the questions of each kind, and of all."""
        each = {kind: [] for kind in dict.fromkeys(one.kind for one in self.questions)}  # type: dict[str, list[int]]
        for number, one in enumerate(self.questions):
            each[one.kind].append(number)
        return {kind: np.array(numbers) for kind, numbers in {**each, "all": range(len(self.questions))}.items()}


def fused(texts: Evaluation, meaning: Scores) -> Scores:
    """Return the scores of all pages by the formula of `hybrid`."""
    exact = texts.has_identifier(at_most=fusion.MAX_PAGES_PER_IDENTIFIER)
    scores: Scores = meaning + fusion.WEIGHT * texts.coverage() ** fusion.POWER + fusion.FIRST * exact
    return scores


def by_places(first: Scores, second: Scores, *, depth: int = 1000) -> Scores:
    """Return the reciprocal rank fusion of two rankings; in the second, pages without a score have no place."""
    fused = np.zeros_like(first)
    for row, (one, other) in enumerate(zip(first, second, strict=True)):
        for scores in (one, np.where(other > 0, other, -np.inf)):
            best = np.argsort(-scores, kind="stable")[:depth]
            best = best[np.isfinite(scores[best])]
            fused[row, best] += 1 / (60 + np.arange(1, len(best) + 1))
    return fused
