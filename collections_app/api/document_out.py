"""Documents as the API tells them."""

import base64
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from collections_app.api.fields import MetadataField
from collections_app.errors import AnswerTooLarge
from collections_app.models import Document, Page, Status, StoredFile
from collections_app.search.hit_rows import ShownPage
from collections_app.storage import files, links
from collections_app.storage.errors import FileMissing
from paliapi.timestamps import rfc3339
from paliapi.units import MEBIBYTE


class PageOut(serializers.Serializer[Page]):
    document_name = serializers.CharField()
    page_number = serializers.IntegerField(help_text="From 1.")
    img_base64 = serializers.CharField(
        allow_blank=True,
        help_text="The page image in base64, without a `data:` prefix; empty if its file is missing from storage.",
    )
    thumbnail_url = serializers.CharField(
        allow_null=True, help_text="A signed link to the image in small, good for a while; null where there is none."
    )


class FailureOut(serializers.Serializer[dict[str, Any]]):
    code = serializers.CharField()
    detail = serializers.CharField()
    page = serializers.IntegerField(required=False, help_text="The page it happened at, where it was one.")


class SkippedOut(serializers.Serializer[dict[str, Any]]):
    page = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class DocumentOut(serializers.Serializer[Document]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    metadata = MetadataField()
    url = serializers.CharField(help_text="A signed link to the uploaded file, or the URL it came from.")
    num_pages = serializers.IntegerField(help_text="Pages that can be searched now.")
    collection_name = serializers.CharField()
    pages = PageOut(many=True, allow_null=True, help_text="Only with `expand=pages`.")
    status = serializers.ChoiceField(choices=Status.choices, help_text="State of the newest content sent.")
    pages_total = serializers.IntegerField(allow_null=True, help_text="Pages of the newest content, once known.")
    pages_done = serializers.IntegerField(help_text="How many of them are done.")
    reused_pages = serializers.IntegerField(help_text="How many of these took over the vectors of equal pages.")
    skipped_pages = SkippedOut(
        many=True, help_text="Pages of the newest content that were left out: see `on_page_error`."
    )
    waiting_for = serializers.CharField(
        allow_null=True, help_text="Code of what it waits for, where it has to wait; it goes on by itself."
    )
    error = FailureOut(allow_null=True, help_text="Why the newest content failed.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


EXAMPLE = {
    "id": 42,
    "name": "annual-report.pdf",
    "metadata": {"year": 2026},
    "url": "http://localhost:8001/v1/files/WzEsOV0:1vMKfC:example",
    "num_pages": 0,
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


def document(row: Document, request: Request, *, pages: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """One document; the row must come `with_state()`."""
    latest, told = row.latest, row.shown or row.latest
    return {
        "id": row.pk,
        "name": row.name,
        "metadata": row.metadata,
        "url": _address(request, told.file) if told and told.file else (told.url if told else ""),
        "num_pages": row.shown.pages_kept if row.shown else 0,
        "collection_name": row.collection.name,
        "pages": pages,
        "status": latest.status if latest else Status.QUEUED,
        "pages_total": latest.pages_total if latest else None,
        "pages_done": latest.pages_done if latest else 0,
        "reused_pages": latest.reused_pages if latest else 0,
        "skipped_pages": latest.skipped if latest else [],
        "waiting_for": (latest.waiting_for or None) if latest else None,
        "error": latest.error if latest else None,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def documents(rows: list[Document], request: Request) -> list[dict[str, Any]]:
    """Many of them, with their pages where the request asks to expand them; a fixed number of queries."""
    if "pages" not in request.query_params.get("expand", "").split(","):
        return [document(row, request) for row in rows]
    expanded = _pages_of(rows, request)
    return [document(row, request, pages=expanded.get(row.pk, [])) for row in rows]


def _pages_of(rows: Iterable[Document], request: Request) -> dict[int, list[dict[str, Any]]]:
    by_revision = {row.shown_id: row for row in rows if row.shown_id}
    pages = Page.objects.filter(owner_id__in={row.owner_id for row in by_revision.values()}, revision__in=by_revision)
    size = pages.aggregate(total=Sum("image__size"))["total"] or 0
    if size > settings.ENV.max_expanded_mb * MEBIBYTE:
        raise AnswerTooLarge
    found: dict[int, list[dict[str, Any]]] = {}
    signed = PictureLinks(request)
    for page in pages.select_related("image").order_by("revision_id", "number"):
        row = by_revision[page.revision_id]
        told = {
            "document_name": row.name,
            "page_number": page.number,
            "img_base64": image_base64(page.image),
            "thumbnail_url": signed.thumbnail(page),
        }
        found.setdefault(row.pk, []).append(told)
    return found


def image_base64(image: files.HasKey) -> str:
    """Return a page image in base64; an empty string if its file is missing, which must not fail the other pages."""
    try:
        return base64.b64encode(files.content(image)).decode("ascii")
    except FileMissing:
        return ""


class PictureLinks:
    """Signed links to pictures of pages, which must come with their images. What all have in common is found once."""

    def __init__(self, request: Request) -> None:
        self._image = _beginning(request, "getSignedPageImage")
        self._thumbnail = _beginning(request, "getSignedPageThumbnail")

    def image(self, page: Page | ShownPage) -> str:
        return self._image + links.page_token(page.owner_id, page.pk)

    def thumbnail(self, page: Page | ShownPage) -> str | None:
        if not page.image.thumbnail_size:
            return None
        return self._thumbnail + links.page_token(page.owner_id, page.pk, kind="thumbnail")


def _beginning(request: Request, route: str) -> str:
    """An address without the token in which it ends."""
    return request.build_absolute_uri(reverse(route, args=["-"])).removesuffix("-")


def _address(request: Request, file: StoredFile) -> str:
    return request.build_absolute_uri(reverse("getFile", args=[links.file_token(file)]))
