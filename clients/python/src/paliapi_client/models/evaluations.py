"""Answers of the API about evaluations, with its field names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean with its interval."""

    mean: float
    low: float
    """Lower end of the 95 % bootstrap interval."""
    high: float
    """Upper end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Percentiles of times in milliseconds."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedItem:
    """A page or document that a judgement names."""

    document_name: str
    page_number: int | None = None
    """Null: the document as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """Why a run of an evaluation failed."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Questions with judgements, about a collection."""

    id: int
    name: str
    collection_name: str
    questions: int
    """How many questions have a judgement above zero; others are left out."""
    runs: int
    """How many runs are stored."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRun:
    """A run of an evaluation."""

    id: int
    evaluation_id: int
    status: str
    """`queued`, `running`, `done`, `failed` or `cancelled`."""
    rankings: list[str]
    """Once it runs, only those that apply."""
    questions: int
    questions_done: int
    waiting_for: str
    """Error code of an unavailable service that the run waits for."""
    error: RunError | None = None
    model: str
    """The model that embedded the questions; empty if none did."""
    missing: list[JudgedItem]
    """Judged pages and documents that did not exist; at most 100."""
    missing_count: int
    """They count as not found."""
    measures: dict[str, dict[str, Mean]]
    """By ranking and measure: `ndcg5`, `ndcg10`, `recall1`, `recall5`, `recall10`, `recall100`, `mrr`."""
    timings: dict[str, dict[str, Percentiles]]
    """Milliseconds by ranking and stage."""
    created_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How relevant a page or document is for a question."""

    document_name: str
    page_number: int | None = None
    """Null: the document as a whole."""
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of a run, with the ranks of its relevant items."""

    id: str
    text: str
    relevant: list[Judgement]
    ranks: dict[str, list[int | None]]
    """By ranking: the rank of each item of `relevant`; null if it was not among the best 100."""
    measures: dict[str, dict[str, float]]
    errors: dict[str, str]
    """Error code by ranking, if a search failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The differences of the measures of two runs."""

    run_id: int
    baseline_id: int
    differences: dict[str, dict[str, Mean]]
    """By ranking and measure: that of the run minus that of the baseline, by pairs of questions."""
