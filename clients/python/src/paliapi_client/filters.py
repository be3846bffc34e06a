"""Filters in Python: `(F("year") >= 2024) & ~F("team").exists()`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

On = Literal["document", "collection"]
Condition = Mapping[str, Any]


class Filter:
    """A condition, which combines with others by `&`, `|` and `~`."""

    __slots__ = ("_condition",)

    def __init__(self, condition: Condition) -> None:
        self._condition = dict(condition)

    def to_json(self) -> dict[str, Any]:
        """Return the filter as the API takes it."""
        return self._condition

    def __and__(self, other: Filter | Condition) -> Filter:
        return _combined("and", self, other)

    def __or__(self, other: Filter | Condition) -> Filter:
        return _combined("or", self, other)

    def __invert__(self) -> Filter:
        return Filter({"not": self._condition})

    # `F("year") >= 2024 & other` is `F("year") >= (2024 & other)` to Python: the comparison then takes the value.
    def __rand__(self, value: object) -> _ValueWithFilter:
        return _ValueWithFilter(value, "and", self)

    def __ror__(self, value: object) -> _ValueWithFilter:
        return _ValueWithFilter(value, "or", self)

    def __bool__(self) -> bool:
        raise TypeError("Combine filters with &, | and ~, in parentheses; `and`, `or` and `not` do not work.")

    def __repr__(self) -> str:
        return f"Filter({self._condition!r})"


class _ValueWithFilter:
    __slots__ = ("condition", "value", "word")

    def __init__(self, value: object, word: str, condition: Filter) -> None:
        self.value, self.word, self.condition = value, word, condition


class F:
    """A key of the metadata of documents, or with `on="collection"` of collections; several lead to a nested one."""

    __slots__ = ("_key", "_on")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, *key: str, on: On = "document") -> None:
        if not key:
            raise TypeError("F needs a key.")
        self._key: str | list[str] = key[0] if len(key) == 1 else list(key)
        self._on = on

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]
        return self._compare("eq", value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]
        return self._compare("ne", value)

    def __gt__(self, value: Any) -> Filter:
        return self._compare("gt", value)

    def __ge__(self, value: Any) -> Filter:
        return self._compare("gte", value)

    def __lt__(self, value: Any) -> Filter:
        return self._compare("lt", value)

    def __le__(self, value: Any) -> Filter:
        return self._compare("lte", value)

    def is_in(self, values: Iterable[Any]) -> Filter:
        """Match any of `values`."""
        return self._compare("in", list(values))

    def contains(self, value: Any) -> Filter:
        """Match a list with the element `value`, or a text with the substring."""
        return self._compare("contains", value)

    def starts_with(self, text: str) -> Filter:
        """Match a text that begins with `text`."""
        return self._compare("starts_with", text)

    def ends_with(self, text: str) -> Filter:
        """Match a text that ends with `text`."""
        return self._compare("ends_with", text)

    def exists(self) -> Filter:
        """Match if the key is present."""
        return Filter({**self._place(), "op": "exists"})

    def _compare(self, operator: str, value: Any) -> Filter:
        if isinstance(value, _ValueWithFilter):
            return _combined(value.word, self._compare(operator, value.value), value.condition)
        return Filter({**self._place(), "op": operator, "value": _plain(value)})

    def _place(self) -> dict[str, Any]:
        place: dict[str, Any] = {"key": self._key}
        return place if self._on == "document" else {"on": self._on, **place}


def filter_json(condition: Filter | Condition | None) -> dict[str, Any] | None:
    """Return a filter, or raw JSON, as the API takes it."""
    if condition is None:
        return None
    if isinstance(condition, F):
        raise TypeError("A key alone is no filter: compare it, or call .exists().")
    return condition.to_json() if isinstance(condition, Filter) else dict(condition)


def _combined(word: str, left: Filter, right: Filter | Condition) -> Filter:
    conditions: list[Any] = []
    for side in (left, right):
        condition = filter_json(side)
        assert condition is not None  # noqa: S101 - a filter is never None
        # (a & b) & c is one condition of three, which keeps long filters shallow.
        conditions.extend(condition[word] if condition.keys() == {word} else [condition])
    return Filter({word: conditions})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("A datetime in a filter needs a time zone.")
        return {"datetime": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else value
