"""Values as HTML for the admin: links, statuses, failures, images. All text is escaped and no style is inline."""

import json
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from collections_app.models import Page, Revision, Status, StoredFile

NO_VALUE = SafeString("-")
PAGE_IMAGE_ROUTE = "page-image"
THUMBNAIL_PARAMETER = "small"
FILE_CONTENT_ROUTE = "file-content"
_FIRST_PAGES = 12


def link_to(row: Model | None) -> SafeString:
    """Return a link to the page of a row, labelled with its name."""
    if row is None:
        return NO_VALUE
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, row)


def link_to_list(model: type[Model], label: str, **filters: int) -> SafeString:
    """Return a link to the list of the rows that match the filters."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(filters), label)


def status(revision: Revision | None) -> SafeString:
    """Return the status of a revision, with its progress until it ends."""
    if revision is None:
        return NO_VALUE
    name = revision.status
    has_progress = revision.pages_total is not None and name not in {Status.READY, Status.CANCELLED}
    pages = f" {revision.pages_done:,} of {revision.pages_total:,}" if has_progress else ""
    return format_html('<span class="state state-{}">{}</span>{}', name, name, pages)


def progress(revision: Revision) -> SafeString:
    """Return a progress bar, once the number of pages is known."""
    if not revision.pages_total:
        return NO_VALUE
    done, total = revision.pages_done, revision.pages_total
    return format_html('<progress max="{}" value="{}">{} of {}</progress>', total, done, done, total)


def failure(revision: Revision | None) -> SafeString:
    """Return the code, page and detail of an error, or the code of what the revision is waiting for."""
    if revision is None:
        return NO_VALUE
    if error := revision.error:
        page = f", page {error['page']}" if error.get("page") else ""
        text = f"{error.get('code', 'unknown')}{page}: {error.get('detail', '')}"
        return format_html('<span class="error">{}</span>', text)
    return format_html("waiting for: {}", revision.waiting_for) if revision.waiting_for else NO_VALUE


def json_text(value: object) -> SafeString:
    return format_html('<pre class="json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def text(value: str) -> SafeString:
    return format_html('<pre class="page-text">{}</pre>', value) if value else NO_VALUE


def page_image(page: Page) -> SafeString:
    return _image(page, kind="page-image")


def thumbnail(page: Page) -> SafeString:
    return _image(page, kind="thumbnail")


def thumbnails(pages: QuerySet[Page]) -> SafeString:
    """Return thumbnails of the first pages, each a link to its page."""
    links = [(_url(page), thumbnail(page)) for page in pages[:_FIRST_PAGES]]
    if not links:
        return NO_VALUE
    return format_html('<div class="thumbnails">{}</div>', format_html_join("", '<a href="{}">{}</a>', links))


def download_link(file: StoredFile) -> SafeString:
    return format_html('<a href="{}">download</a>', reverse(f"admin:{FILE_CONTENT_ROUTE}", args=[file.pk]))


def _image(page: Page, *, kind: str) -> SafeString:
    return format_html(
        '<img class="{}" src="{}{}" alt="Page {}" loading="lazy">',
        kind,
        reverse(f"admin:{PAGE_IMAGE_ROUTE}", args=[page.pk]),
        f"?{THUMBNAIL_PARAMETER}" if kind == "thumbnail" else "",
        page.number,
    )


def _url(page: Page) -> str:
    return reverse("admin:collections_app_page_change", args=[page.pk])
