"""Our tables according to the database catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, Model

_OURS = ("accounts", "collections_app")


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key between two owned tables."""

    child: str
    column: str
    parent: str

    def __str__(self) -> str:
        return f"{self.child}.{self.column}"


def rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def pooled(size: int) -> Iterator[None]:
    """Keep connections in a pool, as the web server does."""
    connection.close()
    options = connection.settings_dict["OPTIONS"]
    options["pool"] = {"min_size": 0, "max_size": size, "timeout": 5}
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        del options["pool"]


def count(table: str) -> int:
    """Count the rows that the current context sees."""
    return int(rows(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")[0][0])  # noqa: S608


def tables() -> list[str]:
    """Return all our tables, including many-to-many tables."""
    results = set()
    for label in _OURS:
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            results.add(model._meta.db_table)
    return sorted(results)


def owned_models() -> list[type[Model]]:
    """Return the models whose rows have an owner."""
    models = (model for label in _OURS for model in apps.get_app_config(label).get_models())
    return sorted(
        (model for model in models if _is_owned(model) and not model._meta.proxy),
        key=lambda model: model._meta.db_table,
    )


def owned_tables() -> list[str]:
    return [model._meta.db_table for model in owned_models()]


def links() -> Iterator[Link]:
    """Return every foreign key between two owned tables."""
    for model in owned_models():
        for field in model._meta.local_fields:
            target = field.related_model
            if isinstance(field, ForeignKey) and isinstance(target, type) and _is_owned(target):
                yield Link(model._meta.db_table, field.column, target._meta.db_table)


def _is_owned(model: type[Model]) -> bool:
    return any(field.column == "owner_id" for field in model._meta.local_fields)
