"""A condition on metadata as parameterised jsonb SQL.

    Document.objects.filter(matching(found.condition, document="metadata", collection="collection__metadata"))

Keys and values travel as parameters only. Equality, `in`, element of a list and presence of a key are written with
`@>` and `?`, which a GIN index on the column (jsonb_ops) can answer. Every test is true or false, never NULL, so
that NOT of it is its complement.
"""

import json
from collections.abc import Iterator, Sequence
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

Leaf: TypeAlias = OneOf | Ordered | Dated | Contains | Exists | HasKeys | Within

_SIGN = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class _Sql:
    """A piece of SQL with its parameters, so that a piece used twice brings them twice."""

    text: str
    params: tuple[Any, ...] = ()


def matching(condition: Condition, *, document: str, collection: str) -> Q:
    """The condition for `filter()`; the arguments are where each metadata lies, seen from the model asked."""
    where: dict[On, str] = {"document": document, "collection": collection}
    return _combined(condition, where)


def _combined(condition: Condition, where: dict[On, str]) -> Q:
    match condition:
        case And(parts):
            return reduce(and_, (_combined(part, where) for part in parts))
        case Or(parts):
            return reduce(or_, (_combined(part, where) for part in parts))
        case Not(part):
            return ~_combined(part, where)
        case _:
            return Q(_Test(F(where[condition.on]), condition))


class _Test(Expression):
    """One leaf of a condition, asked of one jsonb column."""

    def __init__(self, column: Any, leaf: Leaf) -> None:
        super().__init__(output_field=BooleanField())
        self._column = column
        self._leaf = leaf

    @cached_property
    def identity(self) -> tuple[Any, ...]:
        """Django drops a condition that equals another, and to Python 1 equals True."""
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
        case Ordered():
            return _ordered(leaf, column)
        case Dated():
            return _dated(leaf, column)


def _has_any(column: _Sql, wanted: tuple[Json, ...]) -> _Sql:
    if len(wanted) == 1:
        return _joined(column, " @> ", _jsonb(wanted[0]))
    return _joined(column, " @> ANY(", _Sql("%s::jsonb[]", ([_encoded(each) for each in wanted],)), ")")


def _contains(leaf: Contains, column: _Sql) -> _Sql:
    element = _joined(column, " @> ", _jsonb(_nested(leaf.path, [leaf.value])))
    if not isinstance(leaf.value, str):
        return element
    value = _at(column, leaf.path)
    part = _joined("strpos(", _as_text(value), ", ", _text(leaf.value), ") > 0")
    return _joined("(", element, " OR ", _where_type(value, "string", part), ")")


def _ordered(leaf: Ordered, column: _Sql) -> _Sql:
    value, sign = _at(column, leaf.path), f" {_SIGN[leaf.order]} "
    if isinstance(leaf.value, str):
        return _where_type(value, "string", _joined(_as_text(value), sign, _text(leaf.value)))
    return _where_type(value, "number", _joined(value, sign, _jsonb(leaf.value)))


def _dated(leaf: Dated, column: _Sql) -> _Sql:
    text, sign = _as_text(_at(column, leaf.path)), f" {_SIGN[leaf.order]} "
    stored, wanted = _instant(text), _instant(_text(leaf.value.text))
    if isinstance(leaf.value, Day):
        stored, wanted = (_joined("(", side, " AT TIME ZONE 'UTC')::date") for side in (stored, wanted))
    # CASE, because AND may try the cast on a row before it tries the pattern.
    reads_as_date = _joined(text, " ~ ", _text(f"^{INSTANT}$"))
    return _joined("CASE WHEN ", reads_as_date, " THEN ", stored, sign, wanted, " ELSE FALSE END")


def _instant(text: _Sql) -> _Sql:
    zone = _joined("CASE WHEN ", text, " ~ ", _text(f"{ZONE}$"), " THEN '' ELSE 'Z' END")
    return _joined("(", text, " || ", zone, ")::timestamptz")


def _where_type(value: _Sql, name: str, test: _Sql) -> _Sql:
    """The test where the value has this jsonb type, false elsewhere."""
    return _joined("CASE jsonb_typeof(", value, f") WHEN '{name}' THEN ", test, " ELSE FALSE END")


def _at(column: _Sql, path: tuple[str, ...]) -> _Sql:
    """The value at the path. `->` with text finds nothing in a list, so a path goes through objects only."""
    return _joined("(", column, *_steps(path), ")")


def _steps(path: tuple[str, ...]) -> Iterator[_Sql]:
    return (_joined(" -> ", _text(key)) for key in path)


def _as_text(value: _Sql) -> _Sql:
    """A text without its quotes; "C" orders by code point whatever the database's language is."""
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
    whole = [_Sql(piece) if isinstance(piece, str) else piece for piece in pieces]
    return _Sql("".join(each.text for each in whole), tuple(param for each in whole for param in each.params))
