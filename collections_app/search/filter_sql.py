"""Metadata filters as parameterised jsonb SQL.

    Document.objects.filter(metadata_matches(condition, document="metadata", collection="collection__metadata"))

Keys and values are passed as parameters only. Equality, `in`, list membership and the presence of a key use `@>` and
`?`, which a GIN index on the column (jsonb_ops) supports. Every test is true or false, never NULL, so that NOT is its
complement.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, Q
from django.db.models.sql.compiler import SQLCompiler
from django.utils.functional import cached_property

from collections_app.engine.input.filter_conditions import (
    INSTANT,
    ZONE,
    Affix,
    And,
    Condition,
    Contains,
    Dated,
    Day,
    Exists,
    HasKeys,
    Not,
    On,
    OneOf,
    Or,
    Ordered,
    Within,
)
from collections_app.engine.input.jsonb import Json

Leaf: TypeAlias = OneOf | Ordered | Dated | Contains | Affix | Exists | HasKeys | Within

_SIGN = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class _Sql:
    """A piece of SQL with its parameters: a piece that is used twice brings its parameters twice."""

    text: str
    params: tuple[Any, ...] = ()


def metadata_matches(condition: Condition, *, document: str, collection: str) -> Q:
    """Return the condition for `filter()`; `document` and `collection` are the paths to the metadata columns."""
    return _to_q(condition, {"document": document, "collection": collection})


def _to_q(condition: Condition, columns: dict[On, str]) -> Q:
    match condition:
        case And(parts):
            return reduce(and_, (_to_q(part, columns) for part in parts))
        case Or(parts):
            return reduce(or_, (_to_q(part, columns) for part in parts))
        case Not(part):
            return ~_to_q(part, columns)
        case _:
            return Q(_Test(F(columns[condition.on]), condition))


class _Test(Expression):
    """One leaf of a condition, applied to one jsonb column."""

    def __init__(self, column: Any, leaf: Leaf) -> None:
        super().__init__(output_field=BooleanField())
        self._column = column
        self._leaf = leaf

    @cached_property
    def identity(self) -> tuple[Any, ...]:
        """What makes two tests equal. Django drops a duplicate, and Python considers 1 and True equal."""
        return (*super().identity, repr(self._leaf))

    def get_source_expressions(self) -> list[Any]:
        return [self._column]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self._column,) = exprs

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG002 - Django's signature
        text, params = compiler.compile(self._column)
        sql = _sql(self._leaf, _Sql(text, tuple(params)))
        return sql.text, sql.params


def _sql(leaf: Leaf, column: _Sql) -> _Sql:
    match leaf:
        case OneOf(_, path, values):
            return _has_any(column, tuple(_nested(path, value) for value in values))
        case Exists(_, (key,)):
            return _joined(column, " ? ", _text(key))
        case Exists(_, path):
            return _joined("(", _at(column, path), " IS NOT NULL)")
        case HasKeys(_, keys, every):
            return _joined(column, " ?& " if every else " ?| ", _Sql("%s::text[]", (list(keys),)))
        case Within(_, key, value):
            return _joined(column, " <@ ", _jsonb({key: value}))
        case Contains(_, path, value):
            return _contains(leaf, column)
        case Affix():
            return _affix(leaf, column)
        case Ordered():
            return _ordered(leaf, column)
        case Dated():
            return _dated(leaf, column)


def _has_any(column: _Sql, values: tuple[Json, ...]) -> _Sql:
    if len(values) == 1:
        return _joined(column, " @> ", _jsonb(values[0]))
    return _joined(column, " @> ANY(", _Sql("%s::jsonb[]", ([_encoded(value) for value in values],)), ")")


def _contains(leaf: Contains, column: _Sql) -> _Sql:
    element = _joined(column, " @> ", _jsonb(_nested(leaf.path, [leaf.value])))
    if not isinstance(leaf.value, str):
        return element
    value = _at(column, leaf.path)
    part = _joined("strpos(", _as_text(value), ", ", _text(leaf.value), ") > 0")
    return _joined("(", element, " OR ", _if_type(value, "string", part), ")")


def _affix(leaf: Affix, column: _Sql) -> _Sql:
    value, affix = _at(column, leaf.path), _text(leaf.text)
    text = _as_text(value)
    if leaf.at_end:
        test = _joined("right(", text, ", length(", affix, ")) = ", affix)
    else:
        test = _joined("starts_with(", text, ", ", affix, ")")
    return _if_type(value, "string", test)


def _ordered(leaf: Ordered, column: _Sql) -> _Sql:
    value, sign = _at(column, leaf.path), f" {_SIGN[leaf.order]} "
    if isinstance(leaf.value, str):
        return _if_type(value, "string", _joined(_as_text(value), sign, _text(leaf.value)))
    return _if_type(value, "number", _joined(value, sign, _jsonb(leaf.value)))


def _dated(leaf: Dated, column: _Sql) -> _Sql:
    text, sign = _as_text(_at(column, leaf.path)), f" {_SIGN[leaf.order]} "
    stored, limit = _instant(text), _instant(_text(leaf.value.text))
    if isinstance(leaf.value, Day):
        stored, limit = (_joined("(", side, " AT TIME ZONE 'UTC')::date") for side in (stored, limit))
    # CASE, because AND may evaluate the cast before the pattern.
    is_date = _joined(text, " ~ ", _text(f"^{INSTANT}$"))
    return _joined("CASE WHEN ", is_date, " THEN ", stored, sign, limit, " ELSE FALSE END")


def _instant(text: _Sql) -> _Sql:
    zone = _joined("CASE WHEN ", text, " ~ ", _text(f"{ZONE}$"), " THEN '' ELSE 'Z' END")
    return _joined("(", text, " || ", zone, ")::timestamptz")


def _if_type(value: _Sql, name: str, test: _Sql) -> _Sql:
    """Return SQL for the test if the value has this jsonb type, else for false."""
    return _joined("CASE jsonb_typeof(", value, f") WHEN '{name}' THEN ", test, " ELSE FALSE END")


def _at(column: _Sql, path: tuple[str, ...]) -> _Sql:
    """Return SQL for the value at the path. It leads through objects only: of a list, `->` with text yields NULL."""
    return _joined("(", column, *(_joined(" -> ", _text(key)) for key in path), ")")


def _as_text(value: _Sql) -> _Sql:
    """Return SQL for a string without its quotes. "C" orders by code point, whatever the locale of the database."""
    return _joined("(", value, """ #>> '{}') COLLATE "C\"""")


def _nested(path: tuple[str, ...], value: Json) -> Json:
    return reduce(lambda inner, key: {key: inner}, reversed(path), value)


def _encoded(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _jsonb(value: Json) -> _Sql:
    return _Sql("%s::jsonb", (_encoded(value),))


def _text(value: str) -> _Sql:
    return _Sql("%s::text", (value,))


def _joined(*pieces: _Sql | str) -> _Sql:
    parts = [_Sql(piece) if isinstance(piece, str) else piece for piece in pieces]
    return _Sql("".join(part.text for part in parts), tuple(param for part in parts for param in part.params))
