"""What is on its way, or did not arrive, in the admin: how far it is, what it waits for, and two ways to step in."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.access import Caller
from accounts.ownership import acting_for
from collections_app import tasks
from collections_app.admin_pages import html
from collections_app.admin_pages.base import ViewOnly
from collections_app.ingest import jobs
from collections_app.models import Document, Job
from paliapi.errors import Error


class JobAdmin(ViewOnly[Job]):
    """The newest content of each document, unless it is ready."""

    list_display = (
        "id",
        "document_link",
        "collection_link",
        "owner_link",
        "state",
        "progress",
        "why",
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
        "state",
        "progress",
        "why",
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
    actions = ("try_again", "stop")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).filter(document__latest=F("pk"), status__in=jobs.UNFINISHED)

    def has_step_in_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request)

    @admin.action(description="Try the selected jobs again", permissions=["step_in"])
    def try_again(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        self._each(request, rows, jobs.retry, done="queued again")
        transaction.on_commit(tasks.nudge)

    @admin.action(description="Cancel the selected jobs", permissions=["step_in"])
    def stop(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        self._each(request, rows, jobs.cancel, done="cancelled")

    def _each(self, request: HttpRequest, rows: QuerySet[Job], verb: Callable[..., Document], *, done: str) -> None:
        """By the verb of the API, for each row by itself: what cannot be done to one is told, and the others go on."""
        for row in rows.select_related("owner", "document__collection"):
            caller, document = Caller.of_owner(row.owner_id, email=row.owner.email), row.document
            try:
                with acting_for(row.owner_id) as tx:
                    verb(tx, caller, document.name, collection_name=document.collection.name)
            except Error as refused:
                self.message_user(request, f"Job {row.pk} of {document.name}: {refused.detail}", messages.WARNING)
            else:
                self.message_user(request, f"Job {row.pk} of {document.name}: {done}.", messages.SUCCESS)

    @admin.display(description="document", ordering="document__name")
    def document_link(self, row: Job) -> SafeString:
        return html.link_to(row.document)

    @admin.display(description="collection", ordering="document__collection__name")
    def collection_link(self, row: Job) -> SafeString:
        return html.link_to(row.document.collection)

    @admin.display(description="revision")
    def revision_link(self, row: Job) -> SafeString:
        return html.link_to(row.document.latest)

    @admin.display(description="status", ordering="status")
    def state(self, row: Job) -> SafeString:
        return html.state(row)

    @admin.display(description="progress")
    def progress(self, row: Job) -> SafeString:
        return html.progress(row)

    @admin.display(description="error, or what it waits for")
    def why(self, row: Job) -> SafeString:
        return html.trouble(row)

    @admin.display(description="first pages")
    def thumbnails(self, row: Job) -> SafeString:
        return html.thumbnails(row.pages.order_by("number"))
