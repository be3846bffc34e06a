"""Jobs in the admin: the uploads that are being processed or did not succeed, with actions to retry and cancel them."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app import tasks
from collections_app.admin_pages import columns, html
from collections_app.admin_pages.base import ReadOnlyAdmin
from collections_app.ingest import jobs
from collections_app.models import Document, Job
from paliapi.errors import Error


class JobAdmin(ReadOnlyAdmin[Job]):
    """The latest upload of each document, unless it is ready."""

    list_display = (
        "id",
        "document_link",
        "collection_link",
        "owner_link",
        "status_shown",
        "progress",
        "failure",
        "next_try_at",
        "updated_at",
    )
    list_filter = ("status", "waiting_for", "created_at", "updated_at")
    list_select_related = ("owner", "document__collection")
    search_fields = ("document__name", "document__collection__name", "owner__email", "=id")
    fields = (
        "id",
        "revision_link",
        "document_link",
        "collection_link",
        "owner_link",
        "status_shown",
        "progress",
        "failure",
        "attempts",
        "waits",
        "next_try_at",
        "claimed_at",
        "lease_holder",
        "lease_until",
        "thumbnails",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields
    actions = ("retry_selected", "cancel_selected")
    labels = {"next_try_at": "Next attempt at", "lease_holder": "Worker"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).filter(document__latest=F("pk"), status__in=jobs.UNFINISHED)

    def has_intervene_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request)

    @admin.action(description="Retry selected jobs", permissions=["intervene"])
    def retry_selected(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        self._apply(request, rows, jobs.retry, done="queued again")
        transaction.on_commit(tasks.nudge)

    @admin.action(description="Cancel selected jobs", permissions=["intervene"])
    def cancel_selected(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        self._apply(request, rows, jobs.cancel, done="cancelled")

    def _apply(
        self, request: HttpRequest, rows: QuerySet[Job], operation: Callable[..., Document], *, done: str
    ) -> None:
        """Call an operation of the API for each job, and report its result; a refusal does not stop the others."""
        for row in rows.select_related("owner", "document__collection"):
            caller, document = Caller.of_owner(row.owner_id, email=row.owner.email), row.document
            try:
                with acting_for(row.owner_id) as tx:
                    operation(tx, caller, document.name, collection_name=document.collection.name)
            except Error as error:
                self.message_user(request, f"Job {row.pk} of {document.name}: {error.detail}", messages.WARNING)
            else:
                self.message_user(request, f"Job {row.pk} of {document.name}: {done}.", messages.SUCCESS)

    @admin.display(description="progress")
    def progress(self, row: Job) -> SafeString:
        return html.progress(row)

    document_link = columns.link("document", lambda job: job.document, ordering="document__name")
    collection_link = columns.link(
        "collection", lambda job: job.document.collection, ordering="document__collection__name"
    )
    revision_link = columns.link("revision", lambda job: job.document.latest)
    status_shown = columns.status(lambda job: job, ordering="status")
    failure = columns.failure(lambda job: job)
    thumbnails = columns.thumbnails(lambda job: job.pk)
