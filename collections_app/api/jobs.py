"""Endpoints for processing jobs: list, cancel, retry."""

from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import tasks
from collections_app.api.document_out import EXAMPLE, DocumentOut, FailureOut, SkippedOut, represent_document
from collections_app.api.errors import JobStatusInvalid
from collections_app.api.parameters import (
    COLLECTION,
    CURSOR,
    DOCUMENT_NAME,
    LIMIT,
    LINK_HEADER,
    collection_name_of,
)
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.ingest import jobs, outlook
from collections_app.ingest.outlook import JobOutlook, Outlook
from collections_app.models import Revision
from paliapi.errors import Problem
from paliapi.units import rfc3339

_STATUS = OpenApiParameter(
    "status", str, "query", enum=list(jobs.UNFINISHED), description="Only jobs with this status; default: all of them."
)
_COLLECTION_FILTER = OpenApiParameter(
    "collection_name", str, "query", description="Only jobs of this collection; default, or `all`: of every collection."
)
_CANCELLED = OpenApiExample("Cancelled", value={**EXAMPLE, "status": "cancelled"}, response_only=True)
_QUEUED = OpenApiExample("Queued again", value=EXAMPLE, response_only=True)
_COPIED_FIELDS = ("id", "document_id", "status", "pages_total", "pages_done", "reused_pages", "attempts", "error")


class JobOut(serializers.Serializer[Revision]):
    id = serializers.IntegerField(help_text="Id of the job; every upload is a new job.")
    document_id = serializers.IntegerField()
    document_name = serializers.CharField()
    collection_name = serializers.CharField()
    status = serializers.ChoiceField(choices=[(status.value, status.label) for status in jobs.UNFINISHED])
    pages_total = serializers.IntegerField(allow_null=True, help_text="Null until it is known.")
    pages_done = serializers.IntegerField()
    pages_per_s = serializers.FloatField(
        allow_null=True, help_text="Pages that are processed per second; null if it is not being processed."
    )
    seconds_left = serializers.FloatField(
        allow_null=True,
        help_text="Estimated seconds until it is ready, with everything that is queued before it; null if unknown.",
    )
    reused_pages = serializers.IntegerField(help_text="How many pages reused the vectors of an identical page.")
    skipped_pages = SkippedOut(many=True, help_text="Pages that were skipped: see `on_page_error`.")
    attempts = serializers.IntegerField(help_text="How many times a worker started it without making progress.")
    waiting_for = serializers.CharField(allow_null=True, help_text="Code of what it waits for.")
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="When it is retried, if it waits.")
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
    "pages_per_s": 9.1,
    "seconds_left": 6.2,
    "reused_pages": 0,
    "skipped_pages": [],
    "attempts": 0,
    "waiting_for": None,
    "next_try_at": None,
    "error": None,
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:12.000000Z",
}


def represent_job(row: Revision, outlook: JobOutlook) -> dict[str, Any]:
    """Represent a revision that was read with its document and collection."""
    return {
        **{name: getattr(row, name) for name in _COPIED_FIELDS},
        "pages_per_s": _rounded(outlook.pages_per_s),
        "seconds_left": _rounded(outlook.seconds),
        "document_name": row.document.name,
        "collection_name": row.document.collection.name,
        "skipped_pages": row.skipped,
        "waiting_for": row.waiting_for or None,
        "next_try_at": rfc3339(row.next_try_at) if row.waiting_for else None,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


class ProgressOut(serializers.Serializer[Outlook]):
    documents_left = serializers.IntegerField(help_text="Documents that are being processed or queued.")
    pages_left = serializers.IntegerField(
        help_text="Their pages; for files that are not opened yet, as many as those processed lately have on average."
    )
    pages_per_s = serializers.FloatField(
        allow_null=True, help_text="Pages that were processed per second in the last minute; null if none."
    )
    seconds_left = serializers.FloatField(allow_null=True, help_text="Estimated seconds; null if none was processed.")


class Progress(OwnedView):
    costs: ClassVar = {"GET": 1}
    query = frozenset[str]()

    @extend_schema(
        operation_id="getProgress",
        tags=["documents"],
        summary="Get how much is left to process",
        description="Of the whole account: how many documents and pages are left, how fast pages are being processed, "
        "and how long the rest will take.",
        responses=ProgressOut,
        examples=[
            OpenApiExample(
                "In progress",
                value={"documents_left": 2400, "pages_left": 2400, "pages_per_s": 11.3, "seconds_left": 212.4},
                response_only=True,
            )
        ],
    )
    def get(self, _request: Request) -> Response:
        total = outlook.of_owner(self.transaction)
        return Response(
            {
                "documents_left": total.documents,
                "pages_left": total.pages,
                "pages_per_s": _rounded(total.pages_per_s),
                "seconds_left": _rounded(total.seconds),
            }
        )


class Jobs(OwnedView):
    costs: ClassVar = {"GET": 1}
    query = frozenset({"status", "collection_name", "limit", "cursor"})
    extra_statuses: ClassVar = {"GET": (422,)}

    @extend_schema(
        operation_id="listJobs",
        tags=["documents"],
        summary="List unfinished and failed jobs",
        description="One job for each document whose latest upload is not ready, oldest first. Long lists are "
        "paginated by the `Link` header.",
        parameters=[_STATUS, _COLLECTION_FILTER, LIMIT, CURSOR, LINK_HEADER],
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
        page = self.paginate(rows)
        outlooks = outlook.of_jobs(self.transaction, page.rows)
        return Response([represent_job(row, outlooks[row.pk]) for row in page.rows], headers=page.headers)


class CancelDocument(OwnedView):
    costs: ClassVar = {"POST": 1}
    query = frozenset({"collection_name"})
    extra_statuses: ClassVar = {"POST": (409, 422)}

    @extend_schema(
        operation_id="cancelDocument",
        tags=["documents"],
        summary="Cancel the processing of the latest upload",
        description="What the document shows stays unchanged. 409 if nothing is being processed.",
        parameters=[DOCUMENT_NAME, COLLECTION],
        request=None,
        responses=DocumentOut,
        examples=[_CANCELLED],
    )
    def post(self, request: Request, document_name: str) -> Response:
        document = jobs.cancel(
            self.transaction, self.caller, document_name, collection_name=collection_name_of(request)
        )
        return Response(represent_document(document, request))


class RetryDocument(OwnedView):
    costs: ClassVar = {"POST": 1}
    query = frozenset({"collection_name"})
    extra_statuses: ClassVar = {"POST": (409, 422)}

    @extend_schema(
        operation_id="retryDocument",
        tags=["documents"],
        summary="Retry the processing of the latest upload",
        description=(
            "For uploads that failed or were cancelled; the file need not be sent again. If processing waits for "
            "something, it is retried at once. 409 if there is nothing to retry."
        ),
        parameters=[DOCUMENT_NAME, COLLECTION],
        request=None,
        responses=DocumentOut,
        examples=[_QUEUED],
    )
    def post(self, request: Request, document_name: str) -> Response:
        document = jobs.retry(self.transaction, self.caller, document_name, collection_name=collection_name_of(request))
        transaction.on_commit(tasks.nudge)
        return Response(represent_document(document, request))
