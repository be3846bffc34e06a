"""What a run measured: means and timings by ranking, single questions, and the difference to another run."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accounts.ownership import OwnerTransaction
from collections_app.engine.evaluation import measures
from collections_app.engine.evaluation.questions import Question
from collections_app.evaluations import judged
from collections_app.tables.evaluations import EvaluatedRanking, EvaluationRun

# What the list of questions is ordered by.
_ORDERED_BY = "ndcg10"
_TOTAL = "total"


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """One question of a run: the rank of each relevant item, and the measures, by ranking."""

    question: Question
    ranks: dict[str, measures.Ranks]
    measures: dict[str, dict[str, float]]
    errors: dict[str, str]


def rankings_of(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the rankings that were measured, in the usual order; jsonb has not kept theirs."""
    return [ranking for ranking in EvaluatedRanking.values if results and ranking in results[0]]


def means(questions: Sequence[Question], results: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the mean of every measure with its interval, by ranking."""
    return {
        ranking: {name: asdict(mean) for name, mean in measures.means(_measured(questions, results, ranking)).items()}
        for ranking in rankings_of(results)
    }


def timings(results: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the median and the 95th percentile of each stage and of the total in milliseconds, by ranking."""
    by_ranking = {}
    for ranking in rankings_of(results):
        stages: defaultdict[str, list[float]] = defaultdict(list)
        for result in results:
            for stage, ms in result[ranking]["ms"].items():
                stages[stage].append(ms)
            if result[ranking]["ms"]:
                stages[_TOTAL].append(sum(result[ranking]["ms"].values()))
        by_ranking[ranking] = {
            stage: {f"p{percent}": round(measures.percentile(values, percent), 2) for percent in (50, 95)}
            for stage, values in stages.items()
        }
    return by_ranking


def of_questions(tx: OwnerTransaction, run: EvaluationRun) -> list[QuestionReport]:
    """Return every question of a run that is done, the worst first."""
    questions, results = judged.questions_of(tx, run.evaluation), _results(tx, run)
    reports = []
    for question, result in zip(questions, results, strict=True):
        grades = [one.grade for one in question.relevant]
        ranks = {ranking: result[ranking]["ranks"] for ranking in rankings_of(results)}
        reports.append(
            QuestionReport(
                question=question,
                ranks=ranks,
                measures={ranking: measures.of_question(places, grades) for ranking, places in ranks.items()},
                errors={ranking: one["error"] for ranking, one in result.items() if "error" in one},
            )
        )
    return sorted(reports, key=lambda report: sum(values[_ORDERED_BY] for values in report.measures.values()))


def difference(
    tx: OwnerTransaction, run: EvaluationRun, baseline: EvaluationRun
) -> dict[str, dict[str, measures.Mean]]:
    """Return how much higher each measure of a run is than that of another one, by ranking that both measured."""
    questions, first, second = judged.questions_of(tx, run.evaluation), _results(tx, baseline), _results(tx, run)
    return {
        ranking: measures.differences(_measured(questions, first, ranking), _measured(questions, second, ranking))
        for ranking in rankings_of(second)
        if ranking in rankings_of(first)
    }


def _measured(questions: Sequence[Question], results: Sequence[dict[str, Any]], ranking: str) -> list[dict[str, float]]:
    return [
        measures.of_question(result[ranking]["ranks"], [one.grade for one in question.relevant])
        for question, result in zip(questions, results, strict=True)
    ]


def _results(tx: OwnerTransaction, run: EvaluationRun) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = EvaluationRun.objects.values_list("results", flat=True).get(
        owner_id=tx.owner_id, pk=run.pk
    )
    return results
