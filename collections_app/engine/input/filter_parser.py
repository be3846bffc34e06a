"""The filter language: decoded JSON becomes a `Filter`, or one error that points at all that is wrong.

A condition is one of four forms.

A lookup asks about one key of the metadata. `lookup` is `key_lookup` if it is left out.

    {"key": "year", "value": 2024}
    {"key": "year", "value": 2024, "lookup": "contains"}        metadata @> {"year": 2024}
    {"key": "year", "value": 2024, "lookup": "contained_by"}    metadata <@ {"year": 2024}: true of {} as well
    {"key": "year", "lookup": "has_key"}
    {"key": ["year", "author"], "lookup": "has_keys"}           or has_any_keys; no value, no nested keys

A comparison has an `op`. Its `key` is one key, taken literally, or a list of keys that leads to a nested value.

    {"key": "year", "op": "gte", "value": 2020}
    {"key": ["source", "pages.total"], "op": "eq", "value": 12}
    {"key": "state", "op": "in", "value": ["draft", "final"]}
    {"key": "signed", "op": "lt", "value": {"date": "2024-06-30"}}
    {"key": "signed", "op": "gte", "value": {"datetime": "2024-06-30T09:30:00+02:00"}}
    {"key": "tags", "op": "contains", "value": "invoice"}
    {"key": "author", "op": "exists"}

- `eq` and `ne` compare by type and value: 2024 is 2024.0, but neither "2024" nor true; null is only a stored null.
- `gt`, `gte`, `lt`, `lte` compare numbers with numbers, and text with text by code point. Other types never match.
- A `date` is a whole day of UTC: `lte` takes that day in, `eq` means within it. A `datetime` is an instant. Both look
  at texts such as "2024-06-30", "2024-06-30 09:30" or "2024-06-30T09:30:00.5+02:00"; without a zone they are UTC.
  Other texts and types never match.
- `contains` is true of a list that has the value as an element and, if the value is text, of a text that has it as a
  part; upper and lower case differ.
- `in` is `eq` with any of the values. No values, no match.

Conditions combine.

    {"and": [..., ...]}    {"or": [..., ...]}    {"not": ...}

Every condition is either true or false: `not`, and `ne`, are true wherever the rest is false, also where the key is
missing. Add `exists` to ask for its presence.

`on` says whose metadata is meant, "document" (if left out) or "collection". In an `and`, `or` or `not` it holds for
all conditions inside; inside one on collections there are no conditions on documents.

Fields that are null count as left out, except the `value` of `eq`, `ne` and `contains`; so does `"value": ""` where
there must be none. Unknown fields are refused. Words are case-sensitive.
"""

import re
from typing import TypeAlias, cast

from collections_app.engine.input.errors import FilterInvalid
from collections_app.engine.input.filter_conditions import (
    DAY,
    INSTANT,
    And,
    Condition,
    Contains,
    Dated,
    Day,
    Exists,
    Filter,
    HasKeys,
    Instant,
    Not,
    On,
    OneOf,
    Or,
    Order,
    Ordered,
    Path,
    Within,
)
from collections_app.engine.input.jsonb import Scalar, key_problem, pointer, quoted, scalar_problem
from collections_app.engine.input.metadata import MAX_DEPTH as MAX_PATH
from paliapi.errors import Problem

MAX_DEPTH = 8
MAX_CONDITIONS = 64
MAX_VALUES = 256
MAX_KEYS = 64
MAX_TEXT = 2000
MOST_PROBLEMS = 20

LOOKUPS = ("key_lookup", "contains", "contained_by", "has_key", "has_keys", "has_any_keys")
OPS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "exists")

_JUNCTIONS = ("and", "or", "not")
_FIELDS = ("on", "key", "value", "lookup", "op", *_JUNCTIONS)

_Place: TypeAlias = tuple[str | int, ...]
_Fields: TypeAlias = dict[str, object]


def parse(raw: object, *, at: str = "") -> Filter:
    """The filter in `raw`; `at` is the JSON pointer of where it lies in the request."""
    reader = _Reader(at)
    condition = reader.condition(raw, (), on="document", depth=1)
    on: On = "collection" if isinstance(raw, dict) and raw.get("on") == "collection" else "document"
    return Filter(on, condition)


class _Reader:
    """Reads one filter, counting its conditions."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._conditions = 0

    def condition(self, raw: object, place: _Place, *, on: On, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self._refusal(place, "too_deep", f"Conditions may lie {MAX_DEPTH} levels deep.")
        fields = self._fields(raw, place)
        on = self._on(fields, place, outer=on)
        junctions = [word for word in _JUNCTIONS if word in fields]
        if junctions:
            self._allow_only(fields, place, ("on", junctions[0]))
            return self._junction(junctions[0], fields[junctions[0]], (*place, junctions[0]), on=on, depth=depth)
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise self._refusal(place, "too_many", f"A filter has at most {MAX_CONDITIONS} conditions.")
        if "key" not in fields:
            raise self._refusal((*place, "key"), "missing", "A condition needs a key, or one of and, or, not.")
        if "op" in fields:
            self._allow_only(fields, place, ("on", "key", "op", "value"))
            return self._comparison(fields, place, on=on)
        self._allow_only(fields, place, ("on", "key", "lookup", "value"))
        return self._lookup(fields, place, on=on)

    def _fields(self, raw: object, place: _Place) -> _Fields:
        """The fields that count: null is as good as absent, only an explicit null value may mean something."""
        if not isinstance(raw, dict):
            raise self._refusal(place, "wrong_type", "A condition is a JSON object.")
        for name in raw:
            if name not in _FIELDS:
                detail = f"There is no field {quoted(str(name))}; there are {', '.join(_FIELDS)}."
                raise self._refusal(place, "unknown_field", detail)
        null_may_count = raw.get("op") is not None
        return {name: value for name, value in raw.items() if value is not None or (name == "value" and null_may_count)}

    def _allow_only(self, fields: _Fields, place: _Place, allowed: tuple[str, ...]) -> None:
        if extra := [name for name in fields if name not in allowed and fields[name] is not None]:
            detail = f"{extra[0]} does not go with {allowed[1]} here; what goes together is {', '.join(allowed)}."
            raise self._refusal((*place, extra[0]), "not_allowed", detail)

    def _on(self, fields: _Fields, place: _Place, *, outer: On) -> On:
        on = cast(On, self._word(fields.get("on", outer), (*place, "on"), ("document", "collection")))
        if on == "document" and outer == "collection":
            detail = "A filter on collections has no conditions on documents."
            raise self._refusal((*place, "on"), "not_allowed", detail)
        return on

    def _junction(self, word: str, raw: object, place: _Place, *, on: On, depth: int) -> Condition:
        if word == "not":
            return Not(self.condition(raw, place, on=on, depth=depth + 1))
        if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_CONDITIONS:
            raise self._refusal(place, "wrong_type", f"Must be a list of 1 to {MAX_CONDITIONS} conditions.")
        parts: list[Condition] = []
        problems: list[Problem] = []
        for number, part in enumerate(raw):
            try:
                parts.append(self.condition(part, (*place, number), on=on, depth=depth + 1))
            except FilterInvalid as refused:
                problems += refused.problems
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise FilterInvalid(problems[0].detail, problems=tuple(problems[:MOST_PROBLEMS]))
        return And(tuple(parts)) if word == "and" else Or(tuple(parts))

    def _lookup(self, fields: _Fields, place: _Place, *, on: On) -> Condition:
        lookup = self._word(fields.get("lookup", "key_lookup"), (*place, "lookup"), LOOKUPS)
        key_place, value_place = (*place, "key"), (*place, "value")
        if lookup.startswith("has_"):
            self._no_value(fields, place, f"the lookup {lookup}")
            if lookup == "has_key":
                return Exists(on, (self._key(fields["key"], key_place),))
            return HasKeys(on, self._keys(fields["key"], key_place, least=0, most=MAX_KEYS), lookup == "has_keys")
        key = self._key(fields["key"], key_place)
        if "value" not in fields:
            raise self._refusal(value_place, "missing", f"The lookup {lookup} needs a value.")
        value = self._scalar(fields["value"], value_place)
        # On one key and a scalar, upstream's `contains` and `key_lookup` mean the same.
        return Within(on, key, value) if lookup == "contained_by" else OneOf(on, (key,), (value,))

    def _comparison(self, fields: _Fields, place: _Place, *, on: On) -> Condition:
        op = self._word(fields["op"], (*place, "op"), OPS)
        path = self._path(fields["key"], (*place, "key"))
        value_place = (*place, "value")
        if op == "exists":
            self._no_value(fields, place, "exists")
            return Exists(on, path)
        if "value" not in fields:
            raise self._refusal(value_place, "missing", f"{op} needs a value.")
        value = fields["value"]
        if op == "in":
            return OneOf(on, path, self._scalars(value, value_place))
        if op == "contains":
            return Contains(on, path, self._scalar(value, value_place))
        if op in ("eq", "ne"):
            equal = self._equal(value, path, value_place, on=on)
            return equal if op == "eq" else Not(equal)
        return self._ordered(cast(Order, op), value, path, value_place, on=on)

    def _equal(self, value: object, path: Path, place: _Place, *, on: On) -> Condition:
        if isinstance(value, dict):
            return Dated(on, path, "eq", self._moment(value, place))
        return OneOf(on, path, (self._scalar(value, place),))

    def _ordered(self, order: Order, value: object, path: Path, place: _Place, *, on: On) -> Condition:
        if isinstance(value, dict):
            return Dated(on, path, order, self._moment(value, place))
        scalar = self._scalar(value, place)
        if scalar is None or isinstance(scalar, bool):
            raise self._refusal(place, "wrong_type", f"{order} compares with a number, a text or a date.")
        return Ordered(on, path, order, scalar)

    def _moment(self, raw: _Fields, place: _Place) -> Day | Instant:
        if len(raw) == 1:
            text = next(iter(raw.values()))
            if "date" in raw and isinstance(text, str) and re.fullmatch(DAY, text):
                return Day(text)
            if "datetime" in raw and isinstance(text, str) and re.fullmatch(INSTANT, text):
                return Instant(text)
        detail = 'Must be a plain value, {"date": "2024-06-30"} or {"datetime": "2024-06-30T09:30:00Z"}.'
        raise self._refusal(place, "wrong_type", detail)

    def _path(self, raw: object, place: _Place) -> Path:
        if isinstance(raw, str):
            return (self._key(raw, place),)
        return self._keys(raw, place, least=1, most=MAX_PATH)

    def _keys(self, raw: object, place: _Place, *, least: int, most: int) -> tuple[str, ...]:
        if not isinstance(raw, list) or not least <= len(raw) <= most:
            raise self._refusal(place, "wrong_type", f"Must be a list of {least} to {most} keys.")
        return tuple(self._key(key, (*place, number)) for number, key in enumerate(raw))

    def _key(self, raw: object, place: _Place) -> str:
        if not isinstance(raw, str):
            raise self._refusal(place, "wrong_type", "A key is text.")
        if problem := key_problem(raw):
            raise self._refusal(place, "bad_key", f"This key {problem}.")
        return raw

    def _scalars(self, raw: object, place: _Place) -> tuple[Scalar, ...]:
        if not isinstance(raw, list) or len(raw) > MAX_VALUES:
            raise self._refusal(place, "wrong_type", f"Must be a list of at most {MAX_VALUES} values.")
        return tuple(self._scalar(value, (*place, number)) for number, value in enumerate(raw))

    def _scalar(self, raw: object, place: _Place) -> Scalar:
        if raw is not None and not isinstance(raw, str | int | float):
            raise self._refusal(place, "wrong_type", "Must be a text, a number, true or false.")
        if isinstance(raw, str) and len(raw) > MAX_TEXT:
            raise self._refusal(place, "too_long", f"Text in a filter has at most {MAX_TEXT} characters.")
        if problem := scalar_problem(raw):
            raise self._refusal(place, "bad_value", f"This value {problem}.")
        return raw

    def _no_value(self, fields: _Fields, place: _Place, what: str) -> None:
        # A widely used client sends "" for every value that its caller left out.
        if fields.get("value") not in (None, ""):
            raise self._refusal((*place, "value"), "not_allowed", f"There is no value with {what}.")

    def _word(self, raw: object, place: _Place, words: tuple[str, ...]) -> str:
        if not isinstance(raw, str) or raw not in words:
            raise self._refusal(place, "unknown_word", f"Must be one of {', '.join(words)}.")
        return raw

    def _refusal(self, place: _Place, code: str, detail: str) -> FilterInvalid:
        return FilterInvalid(detail, problems=(Problem(pointer(place, at=self._at), code, detail),))
