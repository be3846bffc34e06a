"""What is on its way, over HTTP."""

from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import catalogue, tasks
from collections_app.api import document_out
from collections_app.api.document_out import EXAMPLE, DocumentOut, FailureOut, SkippedOut
from collections_app.api.documents import NAME
from collections_app.api.errors import JobStatusInvalid
from collections_app.api.parameters import COLLECTION, CURSOR, LIMIT, LINK_HEADER
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.ingest import jobs
from collections_app.models import Document, Revision
from paliapi.errors import Problem
from paliapi.http.paging import paginate
from paliapi.timestamps import rfc3339

_STATUS = OpenApiParameter(
    "status", str, "query", enum=list(jobs.UNFINISHED), description="Only jobs in this state; left out: all of these."
)
_WHERE = OpenApiParameter(
    "collection_name", str, "query", description="Only jobs of this collection; left out, or `all`: of every one."
)
_CANCELLED = OpenApiExample("Cancelled", value={**EXAMPLE, "status": "cancelled"}, response_only=True)
_QUEUED = OpenApiExample("Queued again", value=EXAMPLE, response_only=True)


class JobOut(serializers.Serializer[Revision]):
    id = serializers.IntegerField(help_text="Of the job; a new upload is a new one.")
    document_id = serializers.IntegerField()
    document_name = serializers.CharField()
    collection_name = serializers.CharField()
    status = serializers.ChoiceField(choices=[(one.value, one.label) for one in jobs.UNFINISHED])
    pages_total = serializers.IntegerField(allow_null=True, help_text="Once known.")
    pages_done = serializers.IntegerField()
    reused_pages = serializers.IntegerField(help_text="How many of these took over the vectors of equal pages.")
    skipped_pages = SkippedOut(many=True, help_text="Pages that were left out: see `on_page_error`.")
    attempts = serializers.IntegerField(help_text="How often a worker took it up without getting any further.")
    waiting_for = serializers.CharField(allow_null=True, help_text="Code of what it waits for.")
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried again, where it waits.")
    error = FailureOut(allow_null=True, help_text="Why it failed.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


EXAMPLE_JOB = {
    "id": 7,
    "document_id": 42,
    "document_name": "annual-report.pdf",
    "collection_name": "reports",
    "status": "embedding",
    "pages_total": 120,
    "pages_done": 64,
    "reused_pages": 0,
    "skipped_pages": [],
    "attempts": 0,
    "waiting_for": None,
    "next_try_at": None,
    "error": None,
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:12.000000Z",
}


def job(row: Revision) -> dict[str, Any]:
    """A content on its way; the row must come with its document and collection."""
    same = ("id", "document_id", "status", "pages_total", "pages_done", "reused_pages", "attempts", "error")
    return {
        **{name: getattr(row, name) for name in same},
        "document_name": row.document.name,
        "collection_name": row.document.collection.name,
        "skipped_pages": row.skipped,
        "waiting_for": row.waiting_for or None,
        "next_try_at": rfc3339(row.next_try_at) if row.waiting_for else None,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


class Jobs(OwnedView):
    query = frozenset({"status", "collection_name", "limit", "cursor"})
    also_answers: ClassVar = {"GET": (422,)}

    @extend_schema(
        operation_id="listJobs",
        tags=["documents"],
        summary="List what is on its way, and what failed",
        description="One job for each document whose newest content is not ready, oldest first; it pages like others.",
        parameters=[_STATUS, _WHERE, LIMIT, CURSOR, LINK_HEADER],
        responses=JobOut(many=True),
        examples=[OpenApiExample("A job", value=EXAMPLE_JOB, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        status = request.query_params.get("status")
        if status is not None and status not in jobs.UNFINISHED:
            detail = "status must be one of " + ", ".join(jobs.UNFINISHED) + "."
            raise JobStatusInvalid(detail, problems=(Problem("/status", JobStatusInvalid.code, detail),))
        rows = jobs.unfinished(
            self.transaction,
            self.caller,
            statuses=[status] if status else jobs.UNFINISHED,
            collection_name=request.query_params.get("collection_name") or ALL_COLLECTIONS,
        )
        page = paginate(request, rows)
        return Response([job(row) for row in page.rows], headers=page.headers)


class CancelDocument(OwnedView):
    query = frozenset({"collection_name"})
    also_answers: ClassVar = {"POST": (409, 422)}

    @extend_schema(
        operation_id="cancelDocument",
        tags=["documents"],
        summary="Stop processing the newest content of a document",
        description="What the document shows stays as it is. 409 if nothing is being processed.",
        parameters=[NAME, COLLECTION],
        request=None,
        responses=DocumentOut,
        examples=[_CANCELLED],
    )
    def post(self, request: Request, document_name: str) -> Response:
        return _told(
            jobs.cancel(self.transaction, self.caller, document_name, collection_name=_where(request)), request
        )


class RetryDocument(OwnedView):
    query = frozenset({"collection_name"})
    also_answers: ClassVar = {"POST": (409, 422)}

    @extend_schema(
        operation_id="retryDocument",
        tags=["documents"],
        summary="Process the newest content of a document again",
        description=(
            "For what failed or was cancelled; the file need not be sent again. What waits for something is tried at "
            "once. 409 if there is nothing to try again."
        ),
        parameters=[NAME, COLLECTION],
        request=None,
        responses=DocumentOut,
        examples=[_QUEUED],
    )
    def post(self, request: Request, document_name: str) -> Response:
        document = jobs.retry(self.transaction, self.caller, document_name, collection_name=_where(request))
        transaction.on_commit(tasks.nudge)
        return _told(document, request)


def _where(request: Request) -> str:
    return request.query_params.get("collection_name") or catalogue.DEFAULT_COLLECTION


def _told(row: Document, request: Request) -> Response:
    return Response(document_out.document(row, request))
