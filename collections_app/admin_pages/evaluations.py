"""Evaluations in the admin, with their runs."""

from django.contrib import admin

from collections_app.admin_pages.base import ReadOnlyAdmin
from collections_app.tables.evaluations import Evaluation, EvaluationRun


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin[Evaluation]):
    list_display = ("__str__", "owner_link", "question_count", "size", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__email")
    fields = ("name", "owner_link", "question_count", "size", "created_at")
    readonly_fields = fields


@admin.register(EvaluationRun)
class EvaluationRunAdmin(ReadOnlyAdmin[EvaluationRun]):
    list_display = ("__str__", "owner_link", "status", "questions_done", "waiting_for", "created_at", "ended_at")
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("owner__email",)
    fields = (
        "owner_link",
        "status",
        "error",
        "waiting_for",
        "rankings",
        "questions_done",
        "missing_count",
        "model",
        "measures",
        "timings",
        "attempts",
        "lease_holder",
        "lease_until",
        "created_at",
        "ended_at",
    )
    readonly_fields = fields
