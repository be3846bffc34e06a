"""Columns and fields that several admin pages have.

Each function returns a method for a `ModelAdmin`; `value` gets what it shows from a row.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from django.contrib import admin
from django.db.models import Model
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString

from collections_app.admin_pages import html
from collections_app.models import Page, Revision

Column: TypeAlias = Callable[[Any, Any], str | SafeString]
RevisionOf: TypeAlias = Callable[[Any], Revision | None]


def link(description: str, value: Callable[[Any], Model | None], *, ordering: str | None = None) -> Column:
    """Return a column that links to another row."""
    return _column(lambda row: html.link_to(value(row)), description, ordering)


def json(description: str, value: Callable[[Any], object]) -> Column:
    """Return a column with indented JSON; an empty list is shown as a dash."""
    return _column(lambda row: html.NO_VALUE if (data := value(row)) == [] else html.json_text(data), description)


def size(description: str, value: Callable[[Any], int], *, ordering: str) -> Column:
    """Return a column with a number of bytes."""
    return _column(lambda row: filesizeformat(value(row)), description, ordering)


def status(revision: RevisionOf, *, ordering: str) -> Column:
    """Return a column with the status and progress of a revision."""
    return _column(lambda row: html.status(revision(row)), "status", ordering)


def failure(revision: RevisionOf) -> Column:
    """Return a column with the error of a revision, or with what it is waiting for."""
    return _column(lambda row: html.failure(revision(row)), "error or cause of waiting")


def thumbnails(revision_id: Callable[[Any], int | None]) -> Column:
    """Return a field with thumbnails of the first pages of a revision."""
    return _column(
        lambda row: html.thumbnails(Page.objects.filter(revision=revision_id(row)).order_by("number")), "first pages"
    )


def _column(render: Callable[[Any], str | SafeString], description: str, ordering: str | None = None) -> Column:
    @admin.display(description=description, ordering=ordering)
    def column(_model_admin: Any, row: Any) -> str | SafeString:
        return render(row)

    return column
