"""Bodies of requests and responses about evaluations and their runs."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from collections_app import catalogue
from collections_app.api.validation import CollectionNameField
from collections_app.engine.evaluation import questions as formats
from collections_app.engine.evaluation.errors import QuestionsInvalid
from collections_app.engine.evaluation.measures import NAMES
from collections_app.engine.evaluation.questions import Judgement, Question
from collections_app.evaluations.judged import Item
from collections_app.evaluations.report import QuestionReport
from collections_app.tables.evaluations import EvaluatedRanking, Evaluation, EvaluationRun
from paliapi.errors import Problem
from paliapi.http.serializers import BoundedListField, StrictSerializer, TextField, VisibleTextField
from paliapi.units import MAX_NAME_LENGTH

_MAX_RELEVANT = 100


class JudgementIn(StrictSerializer[Any]):
    document_name = TextField(max_length=MAX_NAME_LENGTH, help_text="Name of the document.")
    page_number = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=formats.MAX_PAGE_NUMBER, help_text="Null: any page."
    )
    grade = serializers.IntegerField(
        required=False,
        default=1,
        min_value=0,
        max_value=formats.MAX_GRADE,
        help_text="How well it answers; default 1. 0: not at all.",
    )


class QuestionIn(StrictSerializer[Any]):
    id = TextField(max_length=formats.MAX_ID_LENGTH, help_text="Your name of the question.")
    text = TextField(max_length=formats.MAX_TEXT_LENGTH, help_text="The question.")
    relevant = BoundedListField(
        child=JudgementIn(), max_length=_MAX_RELEVANT, help_text="What answers it: pages or documents."
    )


class EvaluationIn(StrictSerializer[Any]):
    name = VisibleTextField(max_length=MAX_NAME_LENGTH, help_text="Shown to people; need not be unique.")
    collection_name = CollectionNameField(
        required=False, allow_null=True, help_text="The collection to search; default: `default_collection`."
    )
    questions = BoundedListField(
        child=QuestionIn(),
        required=False,
        allow_null=True,
        max_length=formats.MAX_QUESTIONS,
        help_text="Questions with answers.",
    )
    queries = TextField(
        required=False,
        allow_null=True,
        help_text="Instead of `questions`, with `qrels`: JSON lines with `_id` and `text`.",
    )
    qrels = TextField(
        required=False,
        allow_null=True,
        help_text="Lines of `query-id`, `corpus-id` and `score`, separated by tabs, after a header. A corpus-id is "
        "`file.pdf#3` for a page, or `file.pdf`.",
    )


class RunIn(StrictSerializer[Any]):
    rankings = BoundedListField(
        child=serializers.ChoiceField(EvaluatedRanking.values),
        required=False,
        allow_null=True,
        min_length=1,
        max_length=len(EvaluatedRanking),
        help_text="The rankings to measure; default: all that can find pages of the collection.",
    )


class ItemOut(serializers.Serializer[Any]):
    document_name = serializers.CharField()
    page_number = serializers.IntegerField(allow_null=True, help_text="Null: the document as a whole.")


class JudgementOut(ItemOut):
    grade = serializers.IntegerField()


class EvaluationOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    collection_name = serializers.CharField()
    questions = serializers.IntegerField(
        help_text="How many questions have a judgement above zero; others are left out."
    )
    runs = serializers.IntegerField(help_text="How many runs are stored.")
    created_at = serializers.DateTimeField()


class MeanOut(serializers.Serializer[Any]):
    mean = serializers.FloatField()
    low = serializers.FloatField(help_text="Lower end of the 95 % bootstrap interval.")
    high = serializers.FloatField(help_text="Upper end.")


class PercentilesOut(serializers.Serializer[Any]):
    p50 = serializers.FloatField()
    p95 = serializers.FloatField()


class RunErrorOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class RunOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    evaluation_id = serializers.IntegerField()
    status = serializers.CharField(help_text="`queued`, `running`, `done`, `failed` or `cancelled`.")
    rankings = serializers.ListField(child=serializers.CharField(), help_text="Once it runs, only those that apply.")
    questions = serializers.IntegerField()
    questions_done = serializers.IntegerField()
    waiting_for = serializers.CharField(help_text="Error code of an unavailable service that the run waits for.")
    error = RunErrorOut(allow_null=True)
    model = serializers.CharField(help_text="The model that embedded the questions; empty if none did.")
    missing = ItemOut(many=True, help_text="Judged pages and documents that did not exist; at most 100.")
    missing_count = serializers.IntegerField(help_text="They count as not found.")
    measures = serializers.DictField(
        child=serializers.DictField(child=MeanOut()),
        help_text="By ranking and measure: `ndcg5`, `ndcg10`, `recall1`, `recall5`, `recall10`, `recall100`, `mrr`.",
    )
    timings = serializers.DictField(
        child=serializers.DictField(child=PercentilesOut()), help_text="Milliseconds by ranking and stage."
    )
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class QuestionOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    text = serializers.CharField()
    relevant = JudgementOut(many=True)
    ranks = serializers.DictField(
        child=serializers.ListField(child=serializers.IntegerField(allow_null=True)),
        help_text="By ranking: the rank of each item of `relevant`; null if it was not among the best 100.",
    )
    measures = serializers.DictField(child=serializers.DictField(child=serializers.FloatField()))
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="Error code by ranking, if a search failed."
    )


class ComparisonOut(serializers.Serializer[Any]):
    run_id = serializers.IntegerField()
    baseline_id = serializers.IntegerField()
    differences = serializers.DictField(
        child=serializers.DictField(child=MeanOut()),
        help_text="By ranking and measure: that of the run minus that of the baseline, by pairs of questions.",
    )


_NEW = {
    "name": "Lighthouses",
    "collection_name": "reports",
    "questions": [
        {
            "id": "q1",
            "text": "Which lighthouse is the tallest?",
            "relevant": [{"document_name": "lights.pdf", "page_number": 3, "grade": 2}],
        }
    ],
}
_FILES = {
    "name": "Lighthouses",
    "collection_name": "reports",
    "queries": '{"_id": "q1", "text": "Which lighthouse is the tallest?"}\n',
    "qrels": "query-id\tcorpus-id\tscore\nq1\tlights.pdf#3\t2\n",
}
_EVALUATION = {
    "id": 4,
    "name": "Lighthouses",
    "collection_name": "reports",
    "questions": 1,
    "runs": 0,
    "created_at": "2026-11-21T09:30:00.000000Z",
}
_MEAN = {"mean": 1.0, "low": 1.0, "high": 1.0}
_RUN = {
    "id": 9,
    "evaluation_id": 4,
    "status": "done",
    "rankings": ["maxsim"],
    "questions": 1,
    "questions_done": 1,
    "waiting_for": "",
    "error": None,
    "model": "paliapi/lexical@1",
    "missing": [],
    "missing_count": 0,
    "measures": {
        "maxsim": dict.fromkeys(("ndcg5", "ndcg10", "recall1", "recall5", "recall10", "recall100", "mrr"), _MEAN)
    },
    "timings": {"maxsim": {"query": {"p50": 2.1, "p95": 2.1}, "total": {"p50": 5.0, "p95": 5.0}}},
    "created_at": "2026-11-21T09:31:00.000000Z",
    "ended_at": "2026-11-21T09:31:02.000000Z",
}
_QUEUED = {
    **_RUN,
    "status": "queued",
    "questions_done": 0,
    "model": "",
    "measures": {},
    "timings": {},
    "ended_at": None,
}
_QUESTION = {
    "id": "q1",
    "text": "Which lighthouse is the tallest?",
    "relevant": [{"document_name": "lights.pdf", "page_number": 3, "grade": 2}],
    "ranks": {"maxsim": [1]},
    "measures": {"maxsim": {"ndcg10": 1.0, "recall10": 1.0, "mrr": 1.0}},
    "errors": {},
}
_COMPARISON = {
    "run_id": 9,
    "baseline_id": 8,
    "differences": {"maxsim": {"ndcg10": {"mean": 0.02, "low": -0.01, "high": 0.05}}},
}

NEW_EVALUATION = OpenApiExample("Questions", value=_NEW, request_only=True)
NEW_FROM_FILES = OpenApiExample("Contents of files", value=_FILES, request_only=True)
EVALUATION = OpenApiExample("An evaluation", value=_EVALUATION, response_only=True)
CREATED = OpenApiExample("An evaluation", value=_EVALUATION, response_only=True, status_codes=["201"])
NEW_RUN = OpenApiExample("Two rankings", value={"rankings": ["maxsim", "hybrid"]}, request_only=True)
RUN = OpenApiExample("A run", value=_RUN, response_only=True)
STARTED = OpenApiExample("A run", value=_QUEUED, response_only=True, status_codes=["202"])
CANCELLED = OpenApiExample("A run", value={**_QUEUED, "status": "cancelled"}, response_only=True)
QUESTION = OpenApiExample("A question", value=_QUESTION, response_only=True)
COMPARISON = OpenApiExample("A comparison", value=_COMPARISON, response_only=True)


def collection_name_of(body: Mapping[str, Any]) -> str:
    return str(body.get("collection_name") or catalogue.DEFAULT_COLLECTION)


def questions_of(body: Mapping[str, Any]) -> tuple[Question, ...]:
    """Return the questions of a validated body, which has them as JSON or as text."""
    given = [name for name in ("questions", "queries") if name in body]
    if len(given) != 1 or ("queries" in body) != ("qrels" in body):
        detail = "Send either `questions`, or both `queries` and `qrels`."
        raise QuestionsInvalid(detail, problems=(Problem("/questions", QuestionsInvalid.code, detail),))
    if "queries" in body:
        return formats.parse(body["queries"], body["qrels"])
    return formats.check(
        [
            Question(
                one["id"],
                one["text"],
                tuple(
                    Judgement(item["document_name"], item.get("page_number"), item["grade"]) for item in one["relevant"]
                ),
            )
            for one in body["questions"]
        ]
    )


def represent_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    fields = {
        "id": evaluation.pk,
        "name": evaluation.name,
        "collection_name": evaluation.collection.name,
        "questions": evaluation.question_count,
        "runs": getattr(evaluation, "run_count", 0),
        "created_at": evaluation.created_at,
    }
    return dict(EvaluationOut(fields).data)


def represent_run(run: EvaluationRun) -> dict[str, Any]:
    same = (
        "status",
        "rankings",
        "questions_done",
        "waiting_for",
        "error",
        "model",
        "missing_count",
        "created_at",
        "ended_at",
    )
    fields = {
        "id": run.pk,
        "evaluation_id": run.evaluation_id,
        "questions": run.evaluation.question_count,
        "missing": [_item(tuple(item)) for item in run.missing],
        "measures": {
            ranking: {name: means[name] for name in NAMES}
            for ranking in run.rankings
            if (means := run.measures.get(ranking))
        },
        "timings": {ranking: run.timings[ranking] for ranking in run.rankings if ranking in run.timings},
        **{name: getattr(run, name) for name in same},
    }
    return dict(RunOut(fields).data)


def represent_question(report: QuestionReport) -> dict[str, Any]:
    """Represent a question as JSON; there are too many of them for a serializer."""
    return {
        "id": report.question.id,
        "text": report.question.text,
        "relevant": [{**_item(one.item), "grade": one.grade} for one in report.question.relevant],
        "ranks": report.ranks,
        "measures": {
            ranking: {name: round(value, 6) for name, value in values.items()}
            for ranking, values in report.measures.items()
        },
        "errors": report.errors,
    }


def _item(item: Item) -> dict[str, Any]:
    return {"document_name": item[0], "page_number": item[1]}
