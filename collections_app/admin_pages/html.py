"""How the admin shows things: links, states, failures, pictures. Everything is escaped; nothing is styled inline."""

import json
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from collections_app.models import Page, Revision, Status, StoredFile

NOTHING = SafeString("-")
PAGE_IMAGE = "page-image"
SMALL = "small"
FILE_CONTENT = "file-content"
_FIRST_PAGES = 12


def link_to(row: Model | None) -> SafeString:
    """The row's page in the admin, by the row's name."""
    if row is None:
        return NOTHING
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, row)


def link_to_list(model: type[Model], words: str, **where: int) -> SafeString:
    """The admin's list of the rows that fit."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(where), words)


def state(revision: Revision | None) -> SafeString:
    """The status, and how far it is where it is on its way."""
    if revision is None:
        return NOTHING
    status = revision.status
    done = revision.pages_total is not None and status not in {Status.READY, Status.CANCELLED}
    how_far = f" {revision.pages_done:,} of {revision.pages_total:,}" if done else ""
    return format_html('<span class="state state-{}">{}</span>{}', status, status, how_far)


def progress(revision: Revision) -> SafeString:
    """A bar, once it is known how many pages there are."""
    if not revision.pages_total:
        return NOTHING
    done, total = revision.pages_done, revision.pages_total
    return format_html('<progress max="{}" value="{}">{} of {}</progress>', total, done, done, total)


def trouble(revision: Revision | None) -> SafeString:
    """Code and sentence of what went wrong, and on which page; or what is being waited for."""
    if revision is None:
        return NOTHING
    if error := revision.error:
        page = f", page {error['page']}" if error.get("page") else ""
        words = f"{error.get('code', 'unknown')}{page}: {error.get('detail', '')}"
        return format_html('<span class="why">{}</span>', words)
    return format_html("waits: {}", revision.waiting_for) if revision.waiting_for else NOTHING


def json_text(value: object) -> SafeString:
    return format_html('<pre class="json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def text(value: str) -> SafeString:
    return format_html('<pre class="page-text">{}</pre>', value) if value else NOTHING


def picture(page: Page) -> SafeString:
    return _image(page, kind="page-image")


def thumbnail(page: Page) -> SafeString:
    return _image(page, kind="thumbnail")


def thumbnails(pages: QuerySet[Page]) -> SafeString:
    """The first pages, each a link to itself."""
    shown = [(_address(page), thumbnail(page)) for page in pages[:_FIRST_PAGES]]
    if not shown:
        return NOTHING
    return format_html('<div class="thumbnails">{}</div>', format_html_join("", '<a href="{}">{}</a>', shown))


def download(file: StoredFile) -> SafeString:
    return format_html('<a href="{}">download</a>', reverse(f"admin:{FILE_CONTENT}", args=[file.pk]))


def _image(page: Page, *, kind: str) -> SafeString:
    return format_html(
        '<img class="{}" src="{}{}" alt="Page {}" loading="lazy">',
        kind,
        reverse(f"admin:{PAGE_IMAGE}", args=[page.pk]),
        f"?{SMALL}" if kind == "thumbnail" else "",
        page.number,
    )


def _address(page: Page) -> str:
    return reverse("admin:collections_app_page_change", args=[page.pk])
