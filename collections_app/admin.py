"""What is kept, in the admin: to be looked at, and deleted by the same verbs that the API calls.

Nothing is edited here: a row changed by hand would go past the quotas, the revisions and the limits of keys.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat, pluralize
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from collections_app import catalogue
from collections_app.admin_pages import html, webhooks  # noqa: F401 - Django discovers only this module
from collections_app.admin_pages.base import DeletedByVerb, ViewOnly
from collections_app.admin_pages.jobs import JobAdmin
from collections_app.models import (
    Collection,
    Document,
    IdempotentAnswer,
    Job,
    Page,
    PageEmbedding,
    Revision,
    StoredFile,
)
from collections_app.storage.responses import file_response, thumbnail_response
from paliapi.errors import NotFound

_KEEP_IMAGES = "private, max-age=3600"


@admin.register(Collection)
class CollectionAdmin(DeletedByVerb[Collection]):
    list_display = ("name", "owner_link", "documents_link", "created_at", "updated_at")
    list_filter = ("created_at", "updated_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__email")
    fields = ("name", "owner_link", "documents_link", "metadata_shown", "vectors_seq", "created_at", "updated_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        # Counted for the rows of one page, where a join would count for every collection there is.
        inside = Document.objects.filter(collection=OuterRef("pk")).order_by().values("collection")
        counted = Coalesce(Subquery(inside.annotate(n=Count("pk")).values("n")), 0)
        return super().get_queryset(request).annotate(num_documents=counted)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The page that asks for confirmation counts the documents, which Django does not know to go along."""
        told, counts, lacking, protected = super().get_deleted_objects(objs, request)
        documents = Document.objects.filter(collection__in=[row.pk for row in objs]).count()
        return told, {**counts, "documents": documents}, lacking, protected

    def delete_as(self, tx: OwnerTransaction, caller: Caller, row: Collection) -> None:
        catalogue.delete_collection(tx, caller, row.name, precondition=catalogue.unconditional)

    @admin.display(description="documents", ordering="num_documents")
    def documents_link(self, row: Collection) -> SafeString:
        count: int = getattr(row, "num_documents", 0)
        return html.link_to_list(Document, f"{count:,}", collection__id__exact=row.pk)

    @admin.display(description="metadata")
    def metadata_shown(self, row: Collection) -> SafeString:
        return html.json_text(row.metadata)


@admin.register(Document)
class DocumentAdmin(DeletedByVerb[Document]):
    list_display = ("name", "collection_link", "owner_link", "state", "why", "num_pages", "updated_at")
    list_filter = ("latest__status", "created_at", "updated_at")
    list_select_related = ("owner", "collection", "latest", "shown")
    search_fields = ("name", "collection__name", "owner__email")
    fields = (
        "name",
        "collection_link",
        "owner_link",
        "state",
        "why",
        "num_pages",
        "thumbnails",
        "shown_link",
        "latest_link",
        "revisions_link",
        "metadata_shown",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    def delete_as(self, tx: OwnerTransaction, caller: Caller, row: Document) -> None:
        catalogue.delete_document(
            tx, caller, row.name, collection_name=row.collection.name, precondition=catalogue.unconditional
        )

    @admin.display(description="collection", ordering="collection__name")
    def collection_link(self, row: Document) -> SafeString:
        return html.link_to(row.collection)

    @admin.display(description="status", ordering="latest__status")
    def state(self, row: Document) -> SafeString:
        return html.state(row.latest)

    @admin.display(description="error")
    def why(self, row: Document) -> SafeString:
        return html.trouble(row.latest)

    @admin.display(description="pages", ordering="shown__pages_total")
    def num_pages(self, row: Document) -> SafeString:
        if row.shown is None:
            return html.NOTHING
        return html.link_to_list(Page, f"{row.shown.stored_pages:,}", revision__id__exact=row.shown.pk)

    @admin.display(description="first pages")
    def thumbnails(self, row: Document) -> SafeString:
        return html.thumbnails(Page.objects.filter(revision=row.shown_id).order_by("number"))

    @admin.display(description="shows")
    def shown_link(self, row: Document) -> SafeString:
        return html.link_to(row.shown)

    @admin.display(description="newest")
    def latest_link(self, row: Document) -> SafeString:
        return html.link_to(row.latest)

    @admin.display(description="revisions")
    def revisions_link(self, row: Document) -> SafeString:
        return html.link_to_list(Revision, "all revisions", document__id__exact=row.pk)

    @admin.display(description="metadata")
    def metadata_shown(self, row: Document) -> SafeString:
        return html.json_text(row.metadata)


@admin.register(Revision)
class RevisionAdmin(ViewOnly[Revision]):
    list_display = (
        "id",
        "document_link",
        "owner_link",
        "state",
        "is_shown",
        "why",
        "bytes_shown",
        "created_at",
        "updated_at",
    )
    list_filter = ("status", "waiting_for", "created_at", "updated_at")
    list_select_related = ("owner", "document")
    search_fields = ("document__name", "owner__email", "=id")
    fields = (
        "id",
        "document_link",
        "owner_link",
        "state",
        "is_shown",
        "why",
        "thumbnails",
        "pages_link",
        "file_link",
        "url",
        "use_proxy",
        "bytes_shown",
        "metadata_shown",
        "space",
        "on_page_error",
        "skipped_shown",
        "reused_pages",
        "attempts",
        "waits",
        "next_try_at",
        "claimed_at",
        "lease_until",
        "timings",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    @admin.display(description="document", ordering="document__name")
    def document_link(self, row: Revision) -> SafeString:
        return html.link_to(row.document)

    @admin.display(description="status", ordering="status")
    def state(self, row: Revision) -> SafeString:
        return html.state(row)

    @admin.display(description="shown", boolean=True)
    def is_shown(self, row: Revision) -> bool:
        return row.document.shown_id == row.pk

    @admin.display(description="error")
    def why(self, row: Revision) -> SafeString:
        return html.trouble(row)

    @admin.display(description="first pages")
    def thumbnails(self, row: Revision) -> SafeString:
        return html.thumbnails(Page.objects.filter(revision=row).order_by("number"))

    @admin.display(description="pages")
    def pages_link(self, row: Revision) -> SafeString:
        return html.link_to_list(Page, "pages", revision__id__exact=row.pk)

    @admin.display(description="file")
    def file_link(self, row: Revision) -> SafeString:
        return html.link_to(row.file)

    @admin.display(description="size", ordering="size")
    def bytes_shown(self, row: Revision) -> str:
        return filesizeformat(row.size)

    @admin.display(description="metadata")
    def metadata_shown(self, row: Revision) -> SafeString:
        return html.json_text(row.metadata)

    @admin.display(description="pages left out")
    def skipped_shown(self, row: Revision) -> SafeString:
        return html.json_text(row.skipped) if row.skipped else html.NOTHING


admin.site.register(Job, JobAdmin)


@admin.register(Page)
class PageAdmin(ViewOnly[Page]):
    list_display = ("id", "thumbnail", "document_link", "number", "owner_link", "width", "height")
    list_display_links = ("id",)
    list_per_page = 20
    ordering = ("-revision", "number")
    list_select_related = ("owner", "revision__document")
    search_fields = ("revision__document__name", "owner__email")
    fields = (
        "document_link",
        "revision_link",
        "number",
        "owner_link",
        "width",
        "height",
        "picture",
        "file_link",
        "embedded",
        "words",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        image = self.admin_site.admin_view(self.image, cacheable=True)
        return [path("<int:page_id>/image", image, name=html.PAGE_IMAGE), *super().get_urls()]

    def image(self, request: HttpRequest, page_id: int) -> HttpResponseBase:
        page = Page.objects.select_related("image").filter(pk=page_id).first()
        if page is None or not self.has_view_permission(request, page):
            raise NotFound("Page not found.")
        if html.SMALL in request.GET and page.image.thumbnail_size:
            return thumbnail_response(page.image, cache=_KEEP_IMAGES)
        return file_response(page.image, cache=_KEEP_IMAGES, attachment=False)

    @admin.display(description="")
    def thumbnail(self, row: Page) -> SafeString:
        return html.thumbnail(row)

    @admin.display(description="image")
    def picture(self, row: Page) -> SafeString:
        return html.picture(row)

    @admin.display(description="document", ordering="revision__document__name")
    def document_link(self, row: Page) -> SafeString:
        return html.link_to(row.revision.document)

    @admin.display(description="revision")
    def revision_link(self, row: Page) -> SafeString:
        return html.link_to(row.revision)

    @admin.display(description="file")
    def file_link(self, row: Page) -> SafeString:
        return html.link_to(row.image)

    @admin.display(description="vectors")
    def embedded(self, row: Page) -> str:
        # Without the vectors themselves, which are large.
        found = PageEmbedding.objects.filter(page=row).select_related("space").only("space").first()
        return f"in the space {found.space}" if found else "none"

    @admin.display(description="text")
    def words(self, row: Page) -> SafeString:
        return html.text(row.text)


@admin.register(StoredFile)
class StoredFileAdmin(ViewOnly[StoredFile]):
    list_display = ("short", "owner_link", "content_type", "bytes_shown", "uses", "created_at", "wanted_at")
    list_filter = ("content_type", "created_at", "wanted_at")
    list_select_related = ("owner",)
    search_fields = ("sha256", "key", "owner__email")
    fields = (
        "sha256",
        "owner_link",
        "key",
        "content_type",
        "bytes_shown",
        "uses",
        "download",
        "created_at",
        "wanted_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredFile]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                in_revisions=_uses(Revision.objects.filter(file=OuterRef("pk")), "file"),
                in_pages=_uses(Page.objects.filter(image=OuterRef("pk")), "image"),
            )
        )

    def get_urls(self) -> list[URLPattern]:
        content = self.admin_site.admin_view(self.content)
        return [path("<int:file_id>/content", content, name=html.FILE_CONTENT), *super().get_urls()]

    def content(self, request: HttpRequest, file_id: int) -> HttpResponseBase:
        file = StoredFile.objects.filter(pk=file_id).first()
        if file is None or not self.has_view_permission(request, file):
            raise NotFound("There is no such file.")
        return file_response(file, cache="private, no-store", attachment=True)

    @admin.display(description="sha256", ordering="sha256")
    def short(self, row: StoredFile) -> str:
        return row.sha256[:16]

    @admin.display(description="size", ordering="size")
    def bytes_shown(self, row: StoredFile) -> str:
        return filesizeformat(row.size)

    @admin.display(description="used by")
    def uses(self, row: StoredFile) -> str:
        revisions, pages = getattr(row, "in_revisions", 0), getattr(row, "in_pages", 0)
        told = (
            f"{count:,} {one}{pluralize(count)}" for count, one in ((revisions, "revision"), (pages, "page")) if count
        )
        return ", ".join(told) or "nothing"

    @admin.display(description="content")
    def download(self, row: StoredFile) -> SafeString:
        return html.download(row)


def _uses(rows: QuerySet[Any], column: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(column).annotate(n=Count("pk")).values("n")), 0)


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(ViewOnly[IdempotentAnswer]):
    list_display = ("key", "owner_link", "status", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("key", "owner__email")
    fields = ("key", "owner_link", "request_sha256", "status", "body_shown", "headers_shown", "created_at")
    readonly_fields = fields

    @admin.display(description="body")
    def body_shown(self, row: IdempotentAnswer) -> SafeString:
        return html.json_text(row.body)

    @admin.display(description="headers")
    def headers_shown(self, row: IdempotentAnswer) -> SafeString:
        return html.json_text(row.headers)
