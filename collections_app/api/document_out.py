"""Documents in responses."""

import base64
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.urls import get_script_prefix, reverse
from rest_framework import serializers
from rest_framework.request import Request

from accounts.views import caller_of
from collections_app.api.validation import MetadataField
from collections_app.engine.scripts import scripts_of
from collections_app.errors import AnswerTooLarge
from collections_app.models import Document, Page, Status, StoredFile
from collections_app.search import HitPage
from collections_app.storage import files, links
from collections_app.storage.errors import FileMissing
from collections_app.storage.links import FileLink, PageLink
from paliapi.units import MEBIBYTE, rfc3339


class PageTextOut(serializers.Serializer[Page]):
    """Where the text of a page is from."""

    text_source = serializers.ChoiceField(
        choices=("file", "ocr", "none"),
        help_text="Where the page's text is from: the `file`, `ocr`, or `none` if no text is known. Only a model that "
        "sees images finds such a page.",
    )
    scripts = serializers.ListField(
        child=serializers.CharField(),
        help_text="The scripts of the text, such as `Latin`, `Cyrillic` or `Han`, the most frequent first.",
    )
    unread_script = serializers.CharField(
        allow_null=True,
        help_text="The script of text on the image that OCR could not read, such as `Arabic`, or `unknown`.",
    )


class PageOut(PageTextOut):
    document_name = serializers.CharField()
    page_number = serializers.IntegerField(help_text="Starts at 1.")
    img_base64 = serializers.CharField(
        allow_blank=True,
        help_text="The page image in base64, without a `data:` prefix; empty if its file is missing from storage.",
    )
    thumbnail_url = serializers.CharField(
        allow_null=True, help_text="A signed link to the thumbnail that expires; null if there is no thumbnail."
    )


class PageDetailOut(PageTextOut):
    collection_name = serializers.CharField()
    document_name = serializers.CharField()
    document_id = serializers.IntegerField()
    page_number = serializers.IntegerField(help_text="Starts at 1.")
    page_id = serializers.IntegerField()
    width = serializers.IntegerField(help_text="Width of the image in pixels.")
    height = serializers.IntegerField(help_text="Height of the image in pixels.")
    text = serializers.CharField(allow_blank=True, help_text="The text of the page; empty if none is known.")
    image_url = serializers.CharField(help_text="A signed link to the image that expires.")
    thumbnail_url = serializers.CharField(
        allow_null=True, help_text="A signed link to the thumbnail that expires; null if there is no thumbnail."
    )


class FailureOut(serializers.Serializer[dict[str, Any]]):
    code = serializers.CharField()
    detail = serializers.CharField()
    page = serializers.IntegerField(required=False, help_text="The page that failed, if it was a page.")


class SkippedOut(serializers.Serializer[dict[str, Any]]):
    page = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class DocumentOut(serializers.Serializer[Document]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    metadata = MetadataField(help_text="Empty if the key lacks the scope `read`.")
    url = serializers.CharField(
        allow_blank=True,
        help_text="A signed link to the uploaded file, or the URL it was downloaded from. "
        "Empty if the key lacks the scope `read`.",
    )
    sha256 = serializers.CharField(
        allow_null=True,
        help_text="SHA-256 of the file of the latest upload, in hex; null before a URL is downloaded, "
        "and if the key lacks the scope `read`.",
    )
    num_pages = serializers.IntegerField(help_text="Number of pages that are searchable now.")
    pages_without_text = serializers.IntegerField(
        allow_null=True,
        help_text="How many of them have no text that is known; null before they are stored, and for documents that an "
        "earlier version stored.",
    )
    collection_name = serializers.CharField()
    pages = PageOut(many=True, allow_null=True, help_text="Only with `expand=pages`.")
    status = serializers.ChoiceField(choices=Status.choices, help_text="State of the latest upload.")
    pages_total = serializers.IntegerField(
        allow_null=True, help_text="Number of pages of the latest upload, once known."
    )
    pages_done = serializers.IntegerField(help_text="How many of them are processed.")
    reused_pages = serializers.IntegerField(help_text="How many of them reused the vectors of an identical page.")
    skipped_pages = SkippedOut(
        many=True, help_text="Pages of the latest upload that were skipped: see `on_page_error`."
    )
    waiting_for = serializers.CharField(
        allow_null=True, help_text="Code of what processing waits for, if it does; it continues automatically."
    )
    error = FailureOut(allow_null=True, help_text="Why the latest upload failed.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


EXAMPLE = {
    "id": 42,
    "name": "annual-report.pdf",
    "metadata": {"year": 2026},
    "url": "http://localhost:8001/v1/files/WzEsOV0:1vMKfC:example",
    "sha256": "8f3c1d0f0c7a9be7a4b1d5a2e6f9c3b08d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a",
    "num_pages": 0,
    "pages_without_text": None,
    "collection_name": "reports",
    "pages": None,
    "status": "queued",
    "pages_total": None,
    "pages_done": 0,
    "reused_pages": 0,
    "skipped_pages": [],
    "waiting_for": None,
    "error": None,
    "created_at": "2026-11-21T09:30:00.000000Z",
    "updated_at": "2026-11-21T09:30:00.000000Z",
}

PAGE_EXAMPLE = {
    "collection_name": "reports",
    "document_name": "annual-report.pdf",
    "document_id": 42,
    "page_number": 3,
    "page_id": 1207,
    "width": 1240,
    "height": 1754,
    "text": "Revenue by region",
    "text_source": "file",
    "scripts": ["Latin"],
    "unread_script": None,
    "image_url": "http://localhost:8001/v1/files/pages/WzEsMTIwN10:1vMKfC:example",
    "thumbnail_url": "http://localhost:8001/v1/files/thumbnails/WzEsMTIwN10:1vMKfC:example",
}


def represent_document(document: Document, request: Request) -> dict[str, Any]:
    """Represent a document that was read `with_state()`.

    A key without the scope `read` gets neither the metadata nor the link to the file or its hash.
    """
    return _represent_document(document, file_links=_file_links(request))


def _represent_document(
    document: Document, *, file_links: "_FileLinks | None", pages: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Represent a document; without `file_links`, for a key that may not read."""
    latest, shown = document.latest, document.shown
    return {
        "id": document.pk,
        "name": document.name,
        "metadata": {} if file_links is None else document.metadata,
        "url": "" if file_links is None else _url_of(document, file_links),
        "sha256": latest.file.sha256 if file_links and latest and latest.file else None,
        "num_pages": shown.stored_pages if shown else 0,
        "pages_without_text": shown.pages_without_text if shown else None,
        "collection_name": document.collection.name,
        "pages": pages,
        "status": latest.status if latest else Status.QUEUED,
        "pages_total": latest.pages_total if latest else None,
        "pages_done": latest.pages_done if latest else 0,
        "reused_pages": latest.reused_pages if latest else 0,
        "skipped_pages": latest.skipped if latest else [],
        "waiting_for": (latest.waiting_for or None) if latest else None,
        "error": latest.error if latest else None,
        "created_at": rfc3339(document.created_at),
        "updated_at": rfc3339(document.updated_at),
    }


def expands_pages(request: Request) -> bool:
    return "pages" in request.query_params.get("expand", "").split(",")


def represent_documents(documents: list[Document], request: Request) -> list[dict[str, Any]]:
    """Represent documents, with their pages if the request expands them, in a fixed number of queries."""
    file_links = _file_links(request)
    if not expands_pages(request):
        return [_represent_document(document, file_links=file_links) for document in documents]
    pages = _represent_pages(documents, request)
    return [
        _represent_document(document, file_links=file_links, pages=pages.get(document.pk, [])) for document in documents
    ]


def image_base64(image: files.HasKey) -> str:
    """Return a page image in base64; an empty string if its file is missing, which must not fail the other pages."""
    try:
        return base64.b64encode(files.content(image)).decode("ascii")
    except FileMissing:
        return ""


class PageImageLinks:
    """Signed links to page images and thumbnails. The URL prefix is built once for all pages of a response."""

    def __init__(self, request: Request) -> None:
        self._image_prefix = _url_prefix(request, "getSignedPageImage")
        self._thumbnail_prefix = _url_prefix(request, "getSignedPageThumbnail")
        self._key_id = caller_of(request).key_id

    def image(self, page: Page | HitPage) -> str:
        return self._image_prefix + links.page_token(PageLink(page.owner_id, self._key_id, page.pk))

    def thumbnail(self, page: Page | HitPage) -> str | None:
        if not page.image.thumbnail_size:
            return None
        return self._thumbnail_prefix + links.page_token(
            PageLink(page.owner_id, self._key_id, page.pk), kind="thumbnail"
        )


def _represent_pages(documents: Iterable[Document], request: Request) -> dict[int, list[dict[str, Any]]]:
    """Return the pages of each document by its id."""
    by_revision = {document.shown_id: document for document in documents if document.shown_id}
    owner_ids = {document.owner_id for document in by_revision.values()}
    rows = Page.objects.filter(owner_id__in=owner_ids, revision__in=by_revision)
    size = rows.aggregate(total=Sum("image__size"))["total"] or 0
    if size > settings.ENV.max_expanded_mb * MEBIBYTE:
        raise AnswerTooLarge
    pages: dict[int, list[dict[str, Any]]] = {}
    signed = PageImageLinks(request)
    for row in rows.select_related("image").order_by("revision_id", "number"):
        document = by_revision[row.revision_id]
        pages.setdefault(document.pk, []).append(
            {
                "document_name": document.name,
                "page_number": row.number,
                "img_base64": image_base64(row.image),
                "thumbnail_url": signed.thumbnail(row),
                **_text_origin(row),
            }
        )
    return pages


def represent_page(page: Page, document: Document, request: Request) -> dict[str, Any]:
    """Represent one page with its text, and with links instead of its image."""
    signed = PageImageLinks(request)
    return {
        "collection_name": document.collection.name,
        "document_name": document.name,
        "document_id": document.pk,
        "page_number": page.number,
        "page_id": page.pk,
        "width": page.width,
        "height": page.height,
        "text": page.text,
        **_text_origin(page),
        "image_url": signed.image(page),
        "thumbnail_url": signed.thumbnail(page),
    }


def _text_origin(page: Page) -> dict[str, Any]:
    return {
        "text_source": _text_source(page),
        "scripts": scripts_of(page.text),
        "unread_script": page.unread_script or None,
    }


def _text_source(page: Page) -> str:
    if not page.text:
        return "none"
    return "ocr" if page.text_was_read else "file"


class _FileLinks:
    """Signed links to uploaded files. The URL prefix is built once for all documents of a response."""

    def __init__(self, request: Request) -> None:
        self._prefix = _url_prefix(request, "getFile")
        self._key_id = caller_of(request).key_id

    def link(self, document: Document, file: StoredFile) -> str:
        return self._prefix + links.file_token(FileLink(document.owner_id, self._key_id, document.pk, file.pk))


def _file_links(request: Request) -> _FileLinks | None:
    """Return the links of a response; None if the key may not read."""
    return _FileLinks(request) if caller_of(request).may("read") else None


def _url_of(document: Document, file_links: _FileLinks) -> str:
    """Return the link to the uploaded file, or the URL it was downloaded from: of what is shown, else of the latest."""
    revision = document.shown or document.latest
    if revision is None:
        return ""
    if revision.file is None:
        return revision.url
    return file_links.link(document, revision.file)


def _url_prefix(request: Request, route: str) -> str:
    """Return the URL of a route up to the token at its end."""
    return request.build_absolute_uri(_path_prefix(route, get_script_prefix()))


@cache
def _path_prefix(route: str, _script_prefix: str) -> str:
    """Return the path of a route up to the token at its end, which Django takes long to put together."""
    return reverse(route, args=["-"]).removesuffix("-")
