"""The admin pages of collections, documents and files: to look at them, and to delete them as the API does.

Nothing can be edited: a row changed by hand would bypass quotas, revisions and the limits of keys.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import pluralize
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from collections_app import catalogue
from collections_app.admin_pages import columns, evaluations, html, webhooks  # noqa: F401 - Django discovers only this module
from collections_app.admin_pages.base import DeletableAdmin, ReadOnlyAdmin
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

_CACHE_IMAGES = "private, max-age=3600"


@admin.register(Collection)
class CollectionAdmin(DeletableAdmin[Collection]):
    list_display = ("name", "owner_link", "documents_link", "created_at", "updated_at")
    list_filter = ("created_at", "updated_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__email")
    fields = ("name", "owner_link", "documents_link", "metadata_shown", "vectors_seq", "created_at", "updated_at")
    readonly_fields = fields
    labels = {"vectors_seq": "Version of the index"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        # A subquery counts for the rows of one page only; a join would count for every collection.
        documents = Document.objects.filter(collection=OuterRef("pk"))
        return super().get_queryset(request).annotate(num_documents=_count(documents, "collection"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Add the documents to what the confirmation page lists; Django does not know that they are deleted too."""
        objects, counts, missing_permissions, protected = super().get_deleted_objects(objs, request)
        documents = Document.objects.filter(collection__in=[row.pk for row in objs]).count()
        return objects, {**counts, "documents": documents}, missing_permissions, protected

    def delete_row(self, tx: OwnerTransaction, caller: Caller, row: Collection) -> None:
        catalogue.delete_collection(tx, caller, row.name, precondition=catalogue.unconditional)

    @admin.display(description="documents", ordering="num_documents")
    def documents_link(self, row: Collection) -> SafeString:
        count: int = getattr(row, "num_documents", 0)
        return html.link_to_list(Document, f"{count:,}", collection__id__exact=row.pk)

    metadata_shown = columns.json("metadata", lambda collection: collection.metadata)


@admin.register(Document)
class DocumentAdmin(DeletableAdmin[Document]):
    list_display = ("name", "collection_link", "owner_link", "status_shown", "failure", "num_pages", "updated_at")
    list_filter = ("latest__status", "created_at", "updated_at")
    list_select_related = ("owner", "collection", "latest", "shown")
    search_fields = ("name", "collection__name", "owner__email")
    fields = (
        "name",
        "collection_link",
        "owner_link",
        "status_shown",
        "failure",
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

    def delete_row(self, tx: OwnerTransaction, caller: Caller, row: Document) -> None:
        catalogue.delete_document(
            tx, caller, row.name, collection_name=row.collection.name, precondition=catalogue.unconditional
        )

    @admin.display(description="pages", ordering="shown__pages_total")
    def num_pages(self, row: Document) -> SafeString:
        if row.shown is None:
            return html.NO_VALUE
        return html.link_to_list(Page, f"{row.shown.stored_pages:,}", revision__id__exact=row.shown.pk)

    @admin.display(description="revisions")
    def revisions_link(self, row: Document) -> SafeString:
        return html.link_to_list(Revision, "all revisions", document__id__exact=row.pk)

    collection_link = columns.link("collection", lambda document: document.collection, ordering="collection__name")
    status_shown = columns.status(lambda document: document.latest, ordering="latest__status")
    failure = columns.failure(lambda document: document.latest)
    thumbnails = columns.thumbnails(lambda document: document.shown_id)
    shown_link = columns.link("shown revision", lambda document: document.shown)
    latest_link = columns.link("latest revision", lambda document: document.latest)
    metadata_shown = columns.json("metadata", lambda document: document.metadata)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin[Revision]):
    list_display = (
        "id",
        "document_link",
        "owner_link",
        "status_shown",
        "is_shown",
        "failure",
        "size_shown",
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
        "status_shown",
        "is_shown",
        "failure",
        "thumbnails",
        "pages_link",
        "file_link",
        "url",
        "use_proxy",
        "size_shown",
        "metadata_shown",
        "space",
        "on_page_error",
        "skipped_shown",
        "reused_pages",
        "pages_without_text",
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
    labels = {"space": "Vector space", "next_try_at": "Next attempt at"}

    @admin.display(description="shown", boolean=True)
    def is_shown(self, row: Revision) -> bool:
        return row.document.shown_id == row.pk

    @admin.display(description="pages")
    def pages_link(self, row: Revision) -> SafeString:
        return html.link_to_list(Page, "pages", revision__id__exact=row.pk)

    document_link = columns.link("document", lambda revision: revision.document, ordering="document__name")
    status_shown = columns.status(lambda revision: revision, ordering="status")
    failure = columns.failure(lambda revision: revision)
    thumbnails = columns.thumbnails(lambda revision: revision.pk)
    file_link = columns.link("file", lambda revision: revision.file)
    size_shown = columns.size("size", lambda revision: revision.size, ordering="size")
    metadata_shown = columns.json("metadata", lambda revision: revision.metadata)
    skipped_shown = columns.json("skipped pages", lambda revision: revision.skipped)


admin.site.register(Job, JobAdmin)


@admin.register(Page)
class PageAdmin(ReadOnlyAdmin[Page]):
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
        "page_image",
        "file_link",
        "vectors",
        "text_shown",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        image = self.admin_site.admin_view(self.image, cacheable=True)
        return [path("<int:page_id>/image", image, name=html.PAGE_IMAGE_ROUTE), *super().get_urls()]

    def image(self, request: HttpRequest, page_id: int) -> HttpResponseBase:
        page = Page.objects.select_related("image").filter(pk=page_id).first()
        if page is None or not self.has_view_permission(request, page):
            raise NotFound("Page not found.")
        if html.THUMBNAIL_PARAMETER in request.GET and page.image.thumbnail_size:
            return thumbnail_response(page.image, cache=_CACHE_IMAGES)
        return file_response(page.image, cache=_CACHE_IMAGES, attachment=False)

    @admin.display(description="")
    def thumbnail(self, row: Page) -> SafeString:
        return html.thumbnail(row)

    @admin.display(description="image")
    def page_image(self, row: Page) -> SafeString:
        return html.page_image(row)

    @admin.display(description="vectors")
    def vectors(self, row: Page) -> str:
        # The vectors themselves are large, so only their space is read.
        embedding = PageEmbedding.objects.filter(page=row).select_related("space").only("space").first()
        return f"in the space {embedding.space}" if embedding else "none"

    @admin.display(description="text")
    def text_shown(self, row: Page) -> SafeString:
        return html.text(row.text)

    document_link = columns.link("document", lambda page: page.revision.document, ordering="revision__document__name")
    revision_link = columns.link("revision", lambda page: page.revision)
    file_link = columns.link("file", lambda page: page.image)


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin[StoredFile]):
    list_display = ("digest", "owner_link", "content_type", "size_shown", "used_by", "created_at", "wanted_at")
    list_filter = ("content_type", "created_at", "wanted_at")
    list_select_related = ("owner",)
    search_fields = ("sha256", "key", "owner__email")
    fields = (
        "sha256",
        "owner_link",
        "key",
        "content_type",
        "size_shown",
        "used_by",
        "download",
        "created_at",
        "wanted_at",
    )
    readonly_fields = fields
    labels = {"sha256": "SHA-256", "wanted_at": "Last needed at"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredFile]:
        revisions = Revision.objects.filter(file=OuterRef("pk"))
        pages = Page.objects.filter(image=OuterRef("pk"))
        rows = super().get_queryset(request)
        return rows.annotate(num_revisions=_count(revisions, "file"), num_pages=_count(pages, "image"))

    def get_urls(self) -> list[URLPattern]:
        content = self.admin_site.admin_view(self.content)
        return [path("<int:file_id>/content", content, name=html.FILE_CONTENT_ROUTE), *super().get_urls()]

    def content(self, request: HttpRequest, file_id: int) -> HttpResponseBase:
        file = StoredFile.objects.filter(pk=file_id).first()
        if file is None or not self.has_view_permission(request, file):
            raise NotFound("File not found.")
        return file_response(file, cache="private, no-store", attachment=True)

    @admin.display(description="SHA-256", ordering="sha256")
    def digest(self, row: StoredFile) -> str:
        return row.sha256[:16]

    @admin.display(description="used by")
    def used_by(self, row: StoredFile) -> str:
        counts = {"revision": getattr(row, "num_revisions", 0), "page": getattr(row, "num_pages", 0)}
        return ", ".join(f"{count:,} {noun}{pluralize(count)}" for noun, count in counts.items() if count) or "nothing"

    @admin.display(description="content")
    def download(self, row: StoredFile) -> SafeString:
        return html.download_link(row)

    size_shown = columns.size("size", lambda file: file.size, ordering="size")


def _count(rows: QuerySet[Any], column: str) -> Coalesce:
    """Return an expression that counts rows by the column that refers to the outer query."""
    return Coalesce(Subquery(rows.order_by().values(column).annotate(n=Count("pk")).values("n")), 0)


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(ReadOnlyAdmin[IdempotentAnswer]):
    list_display = ("key", "owner_link", "status", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("key", "owner__email")
    fields = ("key", "owner_link", "request_sha256", "status", "body_shown", "headers_shown", "created_at")
    readonly_fields = fields
    labels = {"request_sha256": "SHA-256 of the request"}

    body_shown = columns.json("body", lambda answer: answer.body)
    headers_shown = columns.json("headers", lambda answer: answer.headers)
