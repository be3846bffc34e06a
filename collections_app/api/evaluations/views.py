"""Endpoints of evaluations and their runs."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView, ParameterInvalid
from collections_app import tasks
from collections_app.api.evaluations import bodies
from collections_app.api.idempotency import IDEMPOTENCY_KEY, AlreadyCompleted, idempotent_request
from collections_app.api.parameters import CURSOR, LIMIT, LINK_HEADER
from collections_app.api.validation import validated
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.evaluations import judged, report, runs
from paliapi.errors import Problem

_COLLECTION = OpenApiParameter(
    "collection_name", OpenApiTypes.STR, "query", description="Only evaluations of this collection; default: of all."
)
_ID = OpenApiParameter("evaluation_id", int, "path", description="The evaluation's `id`.")
_RUN_ID = OpenApiParameter("run_id", int, "path", description="The run's `id`.")
_BASELINE = OpenApiParameter(
    "baseline", int, "query", required=True, description="The `id` of the run to compare with."
)
_MAX_DIGITS = 18


class Evaluations(OwnedView):
    costs: ClassVar = {"GET": 1, "POST": 5}
    extra_statuses: ClassVar = {"POST": (404,)}  # the collection of the body
    query = frozenset({"collection_name", "limit", "cursor"})

    @extend_schema(
        operation_id="listEvaluations",
        tags=["evaluations"],
        summary="List evaluations",
        description="Oldest first. Long lists are paginated by the `Link` header.",
        parameters=[_COLLECTION, LIMIT, CURSOR, LINK_HEADER],
        responses=bodies.EvaluationOut(many=True),
        examples=[bodies.EVALUATION],
    )
    def get(self, request: Request) -> Response:
        name = request.query_params.get("collection_name") or ALL_COLLECTIONS
        page = self.paginate(judged.visible_to(self.transaction, self.caller, collection_name=name))
        return Response([bodies.represent_evaluation(row) for row in page.rows], headers=page.headers)

    @extend_schema(
        operation_id="createEvaluation",
        tags=["evaluations"],
        summary="Create an evaluation",
        description=(
            "Stores questions about a collection with the pages or documents that answer them. The documents need not "
            "exist yet. Questions without a judgement above zero are left out. Its size counts towards the quota."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=bodies.EvaluationIn,
        responses={201: bodies.EvaluationOut},
        examples=[bodies.NEW_EVALUATION, bodies.NEW_FROM_FILES, bodies.CREATED],
    )
    def post(self, request: Request) -> Response:
        body = validated(bodies.EvaluationIn, request)
        collection_name = bodies.collection_name_of(body)
        questions = bodies.questions_of(body)
        idempotent = idempotent_request(request, self.caller, collection_name=collection_name)
        try:
            idempotent.claim(self.transaction)
        except AlreadyCompleted as earlier:
            return earlier.response
        created = judged.create(
            self.transaction, self.caller, name=body["name"], collection_name=collection_name, questions=questions
        )
        return idempotent.store(self.transaction, Response(bodies.represent_evaluation(created), status=201))


class EvaluationDetail(OwnedView):
    costs: ClassVar = {"GET": 1, "DELETE": 2}
    query: ClassVar[frozenset[str]] = frozenset()

    @extend_schema(
        operation_id="getEvaluation",
        tags=["evaluations"],
        summary="Get an evaluation",
        parameters=[_ID],
        responses=bodies.EvaluationOut,
        examples=[bodies.EVALUATION],
    )
    def get(self, _request: Request, evaluation_id: int) -> Response:
        return Response(bodies.represent_evaluation(judged.find(self.transaction, self.caller, evaluation_id)))

    @extend_schema(
        operation_id="deleteEvaluation",
        tags=["evaluations"],
        summary="Delete an evaluation and its runs",
        parameters=[_ID],
        responses={204: None},
    )
    def delete(self, _request: Request, evaluation_id: int) -> Response:
        judged.delete(self.transaction, self.caller, evaluation_id)
        return Response(status=204)


class EvaluationRuns(OwnedView):
    costs: ClassVar = {"GET": 1, "POST": 20}
    query = frozenset({"limit", "cursor"})
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="listEvaluationRuns",
        tags=["evaluations"],
        summary="List the runs of an evaluation",
        description="Newest first. Long lists are paginated by the `Link` header.",
        parameters=[_ID, LIMIT, CURSOR, LINK_HEADER],
        responses=bodies.RunOut(many=True),
        examples=[bodies.RUN],
    )
    def get(self, _request: Request, evaluation_id: int) -> Response:
        rows = runs.of_evaluation(self.transaction, self.caller, evaluation_id)
        page = self.paginate(rows, newest_first=True)
        return Response([bodies.represent_run(row) for row in page.rows], headers=page.headers)

    @extend_schema(
        operation_id="startEvaluationRun",
        tags=["evaluations"],
        summary="Run an evaluation",
        description=(
            "Queues the run; a worker searches for every question with every ranking, one search at a time. 409 if "
            "another run of this evaluation is not finished."
        ),
        parameters=[_ID, IDEMPOTENCY_KEY],
        request=bodies.RunIn,
        responses={202: bodies.RunOut},
        examples=[bodies.NEW_RUN, bodies.STARTED],
    )
    def post(self, request: Request, evaluation_id: int) -> Response:
        body = validated(bodies.RunIn, request)
        evaluation = judged.find(self.transaction, self.caller, evaluation_id)
        idempotent = idempotent_request(request, self.caller, collection_name=evaluation.collection.name)
        try:
            idempotent.claim(self.transaction)
        except AlreadyCompleted as earlier:
            return earlier.response
        run = runs.start(self.transaction, self.caller, evaluation_id, rankings=body.get("rankings", ()))
        transaction.on_commit(tasks.nudge_evaluations)
        return idempotent.store(self.transaction, Response(bodies.represent_run(run), status=202))


class EvaluationRunDetail(OwnedView):
    costs: ClassVar = {"GET": 1, "DELETE": 1}
    query: ClassVar[frozenset[str]] = frozenset()

    @extend_schema(
        operation_id="getEvaluationRun",
        tags=["evaluations"],
        summary="Get a run",
        description="Poll it until `status` is `done`, `failed` or `cancelled`.",
        parameters=[_ID, _RUN_ID],
        responses=bodies.RunOut,
        examples=[bodies.RUN],
    )
    def get(self, _request: Request, evaluation_id: int, run_id: int) -> Response:
        return Response(bodies.represent_run(runs.find(self.transaction, self.caller, evaluation_id, run_id)))

    @extend_schema(
        operation_id="deleteEvaluationRun",
        tags=["evaluations"],
        summary="Delete a run",
        description="A run that is not finished ends.",
        parameters=[_ID, _RUN_ID],
        responses={204: None},
    )
    def delete(self, _request: Request, evaluation_id: int, run_id: int) -> Response:
        runs.delete(self.transaction, self.caller, evaluation_id, run_id)
        return Response(status=204)


class CancelEvaluationRun(OwnedView):
    costs: ClassVar = {"POST": 1}
    query: ClassVar[frozenset[str]] = frozenset()
    extra_statuses: ClassVar = {"POST": (409,)}

    @extend_schema(
        operation_id="cancelEvaluationRun",
        tags=["evaluations"],
        summary="Cancel a run",
        description="409 if it is over.",
        parameters=[_ID, _RUN_ID],
        request=None,
        responses=bodies.RunOut,
        examples=[bodies.CANCELLED],
    )
    def post(self, _request: Request, evaluation_id: int, run_id: int) -> Response:
        return Response(bodies.represent_run(runs.cancel(self.transaction, self.caller, evaluation_id, run_id)))


class EvaluationRunQuestions(OwnedView):
    costs: ClassVar = {"GET": 5}
    query: ClassVar[frozenset[str]] = frozenset()
    extra_statuses: ClassVar = {"GET": (409,)}

    @extend_schema(
        operation_id="listEvaluationRunQuestions",
        tags=["evaluations"],
        summary="List the questions of a run with their ranks",
        description="All questions of a run that is done, those with the lowest `ndcg10` first. 409 before.",
        parameters=[_ID, _RUN_ID],
        responses=bodies.QuestionOut(many=True),
        examples=[bodies.QUESTION],
    )
    def get(self, _request: Request, evaluation_id: int, run_id: int) -> Response:
        run = runs.find_done(self.transaction, self.caller, evaluation_id, run_id)
        return Response([bodies.represent_question(one) for one in report.of_questions(self.transaction, run)])


class EvaluationRunComparison(OwnedView):
    costs: ClassVar = {"GET": 5}
    query = frozenset({"baseline"})
    extra_statuses: ClassVar = {"GET": (409, 422)}

    @extend_schema(
        operation_id="compareEvaluationRuns",
        tags=["evaluations"],
        summary="Compare a run with another one",
        description="By pairs of questions, so that small differences show. 409 unless both runs are done.",
        parameters=[_ID, _RUN_ID, _BASELINE],
        responses=bodies.ComparisonOut,
        examples=[bodies.COMPARISON],
    )
    def get(self, request: Request, evaluation_id: int, run_id: int) -> Response:
        text = request.query_params.get("baseline", "")
        run = runs.find_done(self.transaction, self.caller, evaluation_id, run_id)
        baseline = runs.find_done(self.transaction, self.caller, evaluation_id, _number(text))
        differences: dict[str, Any] = {
            ranking: {name: asdict(mean) for name, mean in by_name.items()}
            for ranking, by_name in report.difference(self.transaction, run, baseline).items()
        }
        return Response({"run_id": run.pk, "baseline_id": baseline.pk, "differences": differences})


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        detail = "baseline must be the id of a run."
        raise ParameterInvalid(detail, problems=(Problem("/baseline", ParameterInvalid.code, detail),))
    return int(text)
