"""Dify's metadata conditions as filters.

Dify sends most values as text, so that equality compares with the text, and with the number or boolean that it spells.
As in every filter, a negated operator is also true where the key is missing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from collections_app.engine.input import filter_parser
from collections_app.engine.input.errors import FilterInvalid
from collections_app.engine.input.filter_conditions import DAY, INSTANT, Filter
from collections_app.engine.input.jsonb import Scalar
from paliapi.errors import Problem

FilterJson: TypeAlias = dict[str, Any]

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_BOOLEANS = {"true": True, "false": False}


def filter_json(metadata_condition: Mapping[str, Any]) -> FilterJson | None:
    """Return validated conditions in the filter language; None if there are none."""
    conditions: Sequence[Mapping[str, Any]] = metadata_condition["conditions"] or ()
    parts = [_part(condition, at=f"/metadata_condition/conditions/{i}") for i, condition in enumerate(conditions)]
    return {metadata_condition.get("logical_operator") or "and": parts} if parts else None


def parse(raw: FilterJson) -> Filter:
    """Parse what `filter_json` returned."""
    return filter_parser.parse(raw, at="/metadata_condition")


def _part(condition: Mapping[str, Any], *, at: str) -> FilterJson:
    raw = _TRANSLATIONS[condition["comparison_operator"]](condition["name"], condition.get("value"))
    try:
        filter_parser.parse(raw)
    except FilterInvalid as error:
        problems = tuple(Problem(at, problem.code, problem.detail) for problem in error.problems[:1])
        raise FilterInvalid(error.detail, problems=problems) from None
    return raw


def _with_op(op: str) -> Callable[[str, Any], FilterJson]:
    return lambda key, value: {"key": key, "op": op, **({} if value is None else {"value": value})}


def _with_number(op: str) -> Callable[[str, Any], FilterJson]:
    return lambda key, value: _with_op(op)(key, _number(value))


def _with_time(op: str) -> Callable[[str, Any], FilterJson]:
    """Compare dates with dates, and seconds since 1970 with numbers."""

    def translate(key: str, value: Any) -> FilterJson:
        if isinstance(value, str) and re.fullmatch(DAY, value):
            return _with_op(op)(key, {"date": value})
        if isinstance(value, str) and re.fullmatch(INSTANT, value):
            return _with_op(op)(key, {"datetime": value})
        return _with_op(op)(key, _number(value))

    return translate


def _negated(translate: Callable[[str, Any], FilterJson]) -> Callable[[str, Any], FilterJson]:
    return lambda key, value: {"not": translate(key, value)}


def _is(key: str, value: Any) -> FilterJson:
    if value is None or isinstance(value, list | dict):
        return _with_op("eq")(key, value)
    return {"key": key, "op": "in", "value": _spelled(value)}


def _is_in(key: str, value: Any) -> FilterJson:
    """Match any value of a list, or of a text that separates them by commas."""
    values = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) > filter_parser.MAX_VALUES:
        return _with_op("in")(key, values)
    if any(isinstance(one, list | dict) for one in values):
        return _with_op("in")(key, values)
    return {"key": key, "op": "in", "value": [spelling for one in values for spelling in _spelled(one)]}


def _empty(key: str, _value: Any) -> FilterJson:
    missing = {"not": {"key": key, "op": "exists"}}
    return {"or": [missing, {"key": key, "op": "in", "value": [None, ""]}]}


def _spelled(value: Scalar) -> list[Scalar]:
    """Return the value, and what it stands for in another type."""
    if isinstance(value, str):
        spelled = _BOOLEANS.get(value, _number(value))
        return [value] if spelled is value else [value, spelled]
    return [value]


def _number(value: Any) -> Any:
    """Return the number that a text spells, or the same value."""
    if not isinstance(value, str) or not (match := _NUMBER.fullmatch(value)):
        return value
    return float(value) if match[1] else int(value)


_TRANSLATIONS: dict[str, Callable[[str, Any], FilterJson]] = {
    "contains": _with_op("contains"),
    "not contains": _negated(_with_op("contains")),
    "start with": _with_op("starts_with"),
    "end with": _with_op("ends_with"),
    "is": _is,
    "is not": _negated(_is),
    "in": _is_in,
    "not in": _negated(_is_in),
    "empty": _empty,
    "not empty": _negated(_empty),
    # The names that the last two had in older versions of Dify.
    "null": _empty,
    "not null": _negated(_empty),
    "=": _is,
    "≠": _negated(_is),
    ">": _with_number("gt"),
    "<": _with_number("lt"),
    "≥": _with_number("gte"),
    "≤": _with_number("lte"),
    "before": _with_time("lt"),
    "after": _with_time("gt"),
}
OPERATORS = tuple(_TRANSLATIONS)
