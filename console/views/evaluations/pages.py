"""The list of evaluations, one evaluation with its runs, and what can be done with them."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse

from accounts.ownership import OwnerTransaction, acting_for
from collections_app import catalogue, tasks
from collections_app.api.evaluations import bodies
from collections_app.evaluations import judged, report, runs
from collections_app.evaluations.report import QuestionReport
from console.views.evaluations.chart import bars
from console.views.forms import FormPage, FormView
from console.views.listing import listing

_MAX_COLLECTIONS = 200
_QUESTIONS = 50
_MEASURES = ("ndcg5", "ndcg10", "recall1", "recall5", "recall10", "recall100", "mrr")
_LABELS = ("nDCG@5", "nDCG@10", "Recall@1", "Recall@5", "Recall@10", "Recall@100", "MRR")
_WORKING = ("queued", "running")


class Evaluations(FormView):
    """Lists evaluations, and creates one from two texts."""

    template = "console/evaluations/list.html"
    section = "quality"
    costs: ClassVar = {"GET": 1, "POST": 5}

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        rows = judged.visible_to(tx, self.caller).order_by("-pk")
        names = catalogue.collections(tx, self.caller).order_by("name").values_list("name", flat=True)
        return self.page(
            listing=listing(self.request.query_params, rows, total=rows.count()),
            collections=list(names[:_MAX_COLLECTIONS]),
            **context,
        )

    def change(self) -> str:
        sent = {name: self.form.get(name, "") for name in ("name", "queries", "qrels")}
        body = bodies.EvaluationIn(data={**sent, "collection_name": self.form.get("collection", "")})
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        questions = bodies.questions_of(fields)
        with acting_for(self.caller.owner_id) as tx:
            created = judged.create(
                tx,
                self.caller,
                name=fields["name"],
                collection_name=fields["collection_name"],
                questions=questions,
            )
            return reverse("console-evaluation", args=[created.pk])


class EvaluationPage(FormPage):
    """One evaluation: its runs, and the measures of one of them. It asks for itself again while a run is working."""

    template = "console/evaluations/evaluation.html"
    section = "quality"

    @property
    def evaluation_id(self) -> int:
        return int(self.kwargs["evaluation_id"])

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        evaluation = judged.find(tx, self.caller, self.evaluation_id)
        all_runs = list(runs.of_evaluation(tx, self.caller, evaluation.pk).order_by("-pk"))
        done = [run for run in all_runs if run.status == "done"]
        run = self._chosen("run", done) or (done[0] if done else None)
        baseline = self._chosen("baseline", done)
        return self.page(
            evaluation=evaluation,
            runs=all_runs,
            done=done,
            run=run,
            baseline=baseline,
            labels=_LABELS,
            rows=[(name, _labelled(run.measures[name])) for name in run.rankings] if run else [],
            bars=bars([(name, run.measures[name]["ndcg10"]) for name in run.rankings]) if run else [],
            stages=_stages(run) if run else [],
            differences=_differences(tx, run, baseline) if run and baseline else [],
            questions=[_question(one, evaluation.collection.name) for one in report.of_questions(tx, run)[:_QUESTIONS]]
            if run
            else [],
            working=any(one.status in _WORKING for one in all_runs),
            **context,
        )

    def _chosen(self, name: str, done: list[Any]) -> Any:
        text = self.request.query_params.get(name, "")
        return next((run for run in done if str(run.pk) == text), None)


class _Change(FormView, EvaluationPage):
    """A form of the page."""

    def here(self) -> str:
        return reverse("console-evaluation", args=[self.evaluation_id])


class StartedRun(_Change):
    costs: ClassVar = {"GET": 1, "POST": 20}

    def change(self) -> str:
        with acting_for(self.caller.owner_id) as tx:
            runs.start(tx, self.caller, self.evaluation_id)
        tasks.nudge_evaluations()
        return self.here()


class CancelledRun(_Change):
    def change(self) -> str:
        with acting_for(self.caller.owner_id) as tx:
            runs.cancel(tx, self.caller, self.evaluation_id, int(self.kwargs["run_id"]))
        return self.here()


class DeletedEvaluation(_Change):
    costs: ClassVar = {"GET": 1, "POST": 2}

    def change(self) -> str:
        with acting_for(self.caller.owner_id) as tx:
            self.require_typed(judged.find(tx, self.caller, self.evaluation_id).name)
            judged.delete(tx, self.caller, self.evaluation_id)
        return reverse("console-evaluations")


def _differences(tx: OwnerTransaction, run: Any, baseline: Any) -> list[tuple[str, list[Any]]]:
    by_ranking = report.difference(tx, run, baseline)
    return [(name, _labelled(means)) for name, means in by_ranking.items()]


def _labelled(means: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(label, means[name]) for name, label in zip(_MEASURES, _LABELS, strict=True)]


def _stages(run: Any) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return the times of each stage, the total last, by ranking; None where a ranking has no such stage."""
    by_ranking = {name: run.timings.get(name, {}) for name in run.rankings}
    stages = sorted(
        {stage for timings in by_ranking.values() for stage in timings}, key=lambda one: (one == "total", one)
    )
    return [(stage, [(name, timings.get(stage)) for name, timings in by_ranking.items()]) for stage in stages]


def _question(one: QuestionReport, collection: str) -> dict[str, Any]:
    query = urlencode({"q": one.question.text, "collection": collection})
    return {
        "text": one.question.text,
        "url": f"{reverse('console-search')}?{query}",
        "relevant": [
            f"{item.document}, page {item.page}" if item.page else item.document for item in one.question.relevant
        ],
        "ranks": [(ranking, ["-" if rank is None else rank for rank in ranks]) for ranking, ranks in one.ranks.items()],
    }
