"""Evaluations: questions with relevance judgements, and runs that measure rankings with them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from collections_app.owned import LeasedModel, LeasedQuerySet, Owned
from paliapi.units import MAX_NAME_LENGTH


class EvaluatedRanking(models.TextChoices):
    """The rankings that a run can measure."""

    AUTO = "auto"
    MAXSIM = "maxsim"
    HYBRID = "hybrid"
    LEXICAL = "lexical"


class RunStatus(models.TextChoices):
    """The state of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (RunStatus.QUEUED, RunStatus.RUNNING)


class Evaluation(Owned):
    """Questions about a collection, each with the pages or documents that answer it."""

    collection = models.ForeignKey(
        "collections_app.Collection", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    questions = models.JSONField(help_text="Id, text and judgements of each question.")
    question_count = models.PositiveIntegerField()
    size = models.BigIntegerField(default=0, editable=False, help_text="Bytes that count towards the owner's quota.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "id"], name="evaluation_owner_id")]

    def __str__(self) -> str:
        return self.name


class EvaluationRunQuerySet(LeasedQuerySet["EvaluationRun"]):
    unfinished = Q(status__in=UNFINISHED)


class EvaluationRun(LeasedModel):
    """One measurement of rankings with the questions of an evaluation."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.DO_NOTHING, related_name="runs", db_constraint=False)
    rankings = ArrayField(models.CharField(max_length=10, choices=EvaluatedRanking.choices))
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    error = models.JSONField(null=True, blank=True, help_text="Code and detail of the failure.")
    waiting_for = models.CharField(
        max_length=64, blank=True, default="", help_text="Error code of the unavailable service."
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Consecutive attempts without progress.")
    questions_done = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=list, help_text="Ranks and timings of each question, by ranking.")
    measures = models.JSONField(default=dict, help_text="Means with intervals, by ranking and measure.")
    timings = models.JSONField(default=dict, help_text="Milliseconds by ranking and stage.")
    missing = models.JSONField(default=list, help_text="Judged pages and documents that did not exist, in part.")
    missing_count = models.PositiveIntegerField(default=0)
    model = models.CharField(max_length=500, blank=True, default="", help_text="The model that embedded the questions.")
    size = models.BigIntegerField(default=0, editable=False, help_text="Bytes that count towards the owner's quota.")
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EvaluationRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "id"], name="evaluation_run_owner_id"),
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="evaluation_run_status_known"),
        ]
        indexes = [
            models.Index(fields=["owner"], name="evaluation_run_unfinished", condition=Q(status__in=UNFINISHED)),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.status})"
