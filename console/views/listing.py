"""Lists in numbered pages, whose URL has the page, the order and the filter."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

ROWS = 50

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """One page of a list, with the queries of the URLs of its neighbours; an empty one: there is none."""

    rows: list[Row]
    total: int
    number: int
    pages: int
    previous: str
    next: str


def listing(params: QueryDict, rows: QuerySet[Row], *, total: int, joins_many: bool = False) -> Listing[Row]:
    """Return the page of the rows that `page` selects; the last one if it is beyond the end."""
    pages = max(1, -(-total // ROWS))
    text = params.get("page", "")
    number = min(int(text), pages) if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) else 1
    shown = slice((number - 1) * ROWS, number * ROWS)
    return Listing(
        rows=_join_last(rows, shown) if joins_many else list(rows[shown]),
        total=total,
        number=number,
        pages=pages,
        previous=with_param(params, page=number - 1) if number > 1 else "",
        next=with_param(params, page=number + 1) if number < pages else "",
    )


def _join_last(rows: QuerySet[Row], shown: slice) -> list[Row]:
    """Return these rows, with what is joined to them.

    Two statements, so that Postgres joins nothing to rows that are not shown. With the first as a subquery of the
    second it would, as long as it has no statistics of new rows.
    """
    pks = list(rows.values_list("pk", flat=True)[shown])
    found = rows.order_by().in_bulk(pks)
    return [found[pk] for pk in pks if pk in found]


def with_param(params: QueryDict, **changes: object) -> str:
    """Return the query of a URL with these parameters changed; an empty value leaves one out."""
    changed = params.copy()
    for name, value in changes.items():
        if value == "":
            changed.pop(name, None)
        else:
            changed[name] = str(value)
    return changed.urlencode()


def sort_links(params: QueryDict, orders: dict[str, Any], order: str) -> dict[str, dict[str, str]]:
    """Return for each column the query of the URL that sorts by it, and how it is sorted now."""
    links = {}
    for column in {name.removeprefix("-") for name in orders}:
        ascending, descending = order == column, order == f"-{column}"
        other = f"-{column}" if ascending or (not descending and column not in orders) else column
        links[column] = {
            "query": with_param(params, sort=other, page=""),
            "aria": "ascending" if ascending else "descending" if descending else "none",
            "arrow": "↑" if ascending else "↓" if descending else "",
        }
    return links
