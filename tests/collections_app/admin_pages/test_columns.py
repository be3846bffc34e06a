"""Columns that several admin pages have."""

from typing import Any

import pytest

from collections_app.admin_pages import columns
from collections_app.admin_pages.columns import Column
from collections_app.models import Revision, StoredFile


@pytest.mark.parametrize(
    ("column", "row", "expected"),
    [
        (columns.link("file", lambda row: row.file), Revision(), "-"),
        (columns.json("skipped pages", lambda row: row.skipped), Revision(skipped=[]), "-"),
        (columns.size("size", lambda row: row.size, ordering="size"), StoredFile(size=2048), "2.0\xa0KB"),
        (columns.failure(lambda row: row), Revision(waiting_for="outage"), "waiting for: outage"),
    ],
)
def test_column_renders_the_value_of_a_row(column: Column, row: Any, expected: str) -> None:
    assert column(None, row) == expected


def test_column_has_the_description_and_ordering_that_the_admin_reads() -> None:
    column: Any = columns.status(lambda row: row, ordering="status")
    assert (column.short_description, column.admin_order_field) == ("status", "status")
