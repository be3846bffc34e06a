"""The filter language: parse decoded JSON into a `Filter`, or raise one error that points at everything that is wrong.

A condition has one of four forms.

A lookup tests one key of the metadata. `lookup` defaults to `key_lookup`.

    {"key": "year", "value": 2024}
    {"key": "year", "value": 2024, "lookup": "contains"}        metadata @> {"year": 2024}
    {"key": "year", "value": 2024, "lookup": "contained_by"}    metadata <@ {"year": 2024}: also true for {}
    {"key": "year", "lookup": "has_key"}
    {"key": ["year", "author"], "lookup": "has_keys"}           or has_any_keys; no value, no nested keys

A comparison has an `op`. Its `key` is one key, taken literally, or a list of keys that leads to a nested value.

    {"key": "year", "op": "gte", "value": 2020}
    {"key": ["source", "pages.total"], "op": "eq", "value": 12}
    {"key": "state", "op": "in", "value": ["draft", "final"]}
    {"key": "signed", "op": "lt", "value": {"date": "2024-06-30"}}
    {"key": "signed", "op": "gte", "value": {"datetime": "2024-06-30T09:30:00+02:00"}}
    {"key": "tags", "op": "contains", "value": "invoice"}
    {"key": "number", "op": "starts_with", "value": "INV-"}
    {"key": "author", "op": "exists"}

- `eq` and `ne` compare type and value: 2024 equals 2024.0, but neither "2024" nor true; null equals only a stored null.
- `gt`, `gte`, `lt`, `lte` compare numbers with numbers, and text with text by code point. Other types never match.
- A `date` is a whole day in UTC: `lte` includes that day, and `eq` means within it. A `datetime` is an instant. Both
  compare with texts such as "2024-06-30", "2024-06-30 09:30" or "2024-06-30T09:30:00.5+02:00"; without a zone these are
  in UTC. Other texts and types never match.
- `contains` is true for a list that has the value as an element and, if the value is text, for a text that has it as a
  substring; case matters.
- `starts_with` and `ends_with` are true for a text that begins or ends with the value; case matters.
- `in` is `eq` with any of the values. An empty list matches nothing.

Conditions combine.

    {"and": [..., ...]}    {"or": [..., ...]}    {"not": ...}

Every condition is either true or false: `not` and `ne` are true wherever the inner condition is false, including where
the key is missing. Add `exists` to require it.

`on` selects whose metadata is tested, "document" (the default) or "collection". In an `and`, `or` or `not` it applies
to all conditions inside; a condition on collections cannot contain conditions on documents.

Fields that are null count as absent, except the `value` of `eq`, `ne` and `contains`; so does `"value": ""` where no
value is allowed. Unknown fields are rejected. Operators and lookups are case-sensitive.
"""

import re
from typing import TypeAlias, cast

from collections_app.engine.input.errors import FilterInvalid
from collections_app.engine.input.filter_conditions import (
    DAY,
    INSTANT,
    Affix,
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
from collections_app.engine.input.jsonb import Scalar, key_problem, pointer, quote, scalar_problem
from collections_app.engine.input.metadata import MAX_DEPTH as MAX_PATH_LENGTH
from paliapi.errors import MAX_PROBLEMS, Problem

MAX_DEPTH = 8
MAX_CONDITIONS = 64
MAX_VALUES = 256
MAX_KEYS = 64
MAX_TEXT = 2000

LOOKUPS = ("key_lookup", "contains", "contained_by", "has_key", "has_keys", "has_any_keys")
OPS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "starts_with", "ends_with", "exists")

_COMBINATORS = ("and", "or", "not")
_FIELDS = ("on", "key", "value", "lookup", "op", *_COMBINATORS)

_Location: TypeAlias = tuple[str | int, ...]
_Fields: TypeAlias = dict[str, object]


def parse(raw: object, *, at: str = "") -> Filter:
    """Parse a filter; `at` is its JSON pointer in the request."""
    parser = _Parser(at)
    condition = parser.condition(raw, (), on="document", depth=1)
    on: On = "collection" if isinstance(raw, dict) and raw.get("on") == "collection" else "document"
    return Filter(on, condition)


class _Parser:
    """Parses one filter and counts its conditions."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._conditions = 0

    def condition(self, raw: object, location: _Location, *, on: On, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self._error(location, "too_deep", f"Conditions may be nested {MAX_DEPTH} levels deep.")
        fields = self._fields(raw, location)
        on = self._parse_on(fields, location, outer=on)
        combinators = [name for name in _COMBINATORS if name in fields]
        if combinators:
            name = combinators[0]
            self._allow_only(fields, location, ("on", name))
            return self._combination(name, fields[name], (*location, name), on=on, depth=depth)
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise self._error(location, "too_many", f"A filter has at most {MAX_CONDITIONS} conditions.")
        if "key" not in fields:
            raise self._error((*location, "key"), "missing", "A condition needs a `key`, or one of `and`, `or`, `not`.")
        if "op" in fields:
            self._allow_only(fields, location, ("on", "key", "op", "value"))
            return self._comparison(fields, location, on=on)
        self._allow_only(fields, location, ("on", "key", "lookup", "value"))
        return self._lookup(fields, location, on=on)

    def _fields(self, raw: object, location: _Location) -> _Fields:
        """Return the fields without those that are null; only an explicit null `value` may have a meaning."""
        if not isinstance(raw, dict):
            raise self._error(location, "wrong_type", "A condition must be a JSON object.")
        for name in raw:
            if name not in _FIELDS:
                detail = f"Unknown field {quote(str(name))}; the fields are {', '.join(_FIELDS)}."
                raise self._error(location, "unknown_field", detail)
        null_may_count = raw.get("op") is not None
        return {name: value for name, value in raw.items() if value is not None or (name == "value" and null_may_count)}

    def _allow_only(self, fields: _Fields, location: _Location, allowed: tuple[str, ...]) -> None:
        if extra := [name for name in fields if name not in allowed and fields[name] is not None]:
            detail = f"{extra[0]} cannot be combined with {allowed[1]}; use only {', '.join(allowed)}."
            raise self._error((*location, extra[0]), "not_allowed", detail)

    def _parse_on(self, fields: _Fields, location: _Location, *, outer: On) -> On:
        on = cast(On, self._choice(fields.get("on", outer), (*location, "on"), ("document", "collection")))
        if on == "document" and outer == "collection":
            detail = "A filter on collections cannot have conditions on documents."
            raise self._error((*location, "on"), "not_allowed", detail)
        return on

    def _combination(self, name: str, raw: object, location: _Location, *, on: On, depth: int) -> Condition:
        if name == "not":
            return Not(self.condition(raw, location, on=on, depth=depth + 1))
        if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_CONDITIONS:
            raise self._error(location, "wrong_type", f"Must be a list of 1 to {MAX_CONDITIONS} conditions.")
        parts: list[Condition] = []
        problems: list[Problem] = []
        for number, part in enumerate(raw):
            try:
                parts.append(self.condition(part, (*location, number), on=on, depth=depth + 1))
            except FilterInvalid as error:
                problems += error.problems
            if len(problems) >= MAX_PROBLEMS:
                break
        if problems:
            raise FilterInvalid(problems[0].detail, problems=tuple(problems[:MAX_PROBLEMS]))
        return And(tuple(parts)) if name == "and" else Or(tuple(parts))

    def _lookup(self, fields: _Fields, location: _Location, *, on: On) -> Condition:
        lookup = self._choice(fields.get("lookup", "key_lookup"), (*location, "lookup"), LOOKUPS)
        key_location, value_location = (*location, "key"), (*location, "value")
        if lookup.startswith("has_"):
            self._forbid_value(fields, location, f"the lookup {lookup}")
            if lookup == "has_key":
                return Exists(on, (self._key(fields["key"], key_location),))
            return HasKeys(on, self._keys(fields["key"], key_location, minimum=0, limit=MAX_KEYS), lookup == "has_keys")
        key = self._key(fields["key"], key_location)
        if "value" not in fields:
            raise self._error(value_location, "missing", f"The lookup {lookup} needs a value.")
        value = self._scalar(fields["value"], value_location)
        # For one key and a scalar, upstream's `contains` and `key_lookup` mean the same.
        return Within(on, key, value) if lookup == "contained_by" else OneOf(on, (key,), (value,))

    def _comparison(self, fields: _Fields, location: _Location, *, on: On) -> Condition:
        op = self._choice(fields["op"], (*location, "op"), OPS)
        path = self._path(fields["key"], (*location, "key"))
        value_location = (*location, "value")
        if op == "exists":
            self._forbid_value(fields, location, "exists")
            return Exists(on, path)
        if "value" not in fields:
            raise self._error(value_location, "missing", f"{op} needs a value.")
        value = fields["value"]
        if op == "in":
            return OneOf(on, path, self._scalars(value, value_location))
        if op == "contains":
            return Contains(on, path, self._scalar(value, value_location))
        if op in ("starts_with", "ends_with"):
            return Affix(on, path, self._text(value, value_location), op == "ends_with")
        if op in ("eq", "ne"):
            condition = self._equality(value, path, value_location, on=on)
            return condition if op == "eq" else Not(condition)
        return self._ordering(cast(Order, op), value, path, value_location, on=on)

    def _equality(self, value: object, path: Path, location: _Location, *, on: On) -> Condition:
        if isinstance(value, dict):
            return Dated(on, path, "eq", self._date_or_datetime(value, location))
        return OneOf(on, path, (self._scalar(value, location),))

    def _ordering(self, order: Order, value: object, path: Path, location: _Location, *, on: On) -> Condition:
        if isinstance(value, dict):
            return Dated(on, path, order, self._date_or_datetime(value, location))
        scalar = self._scalar(value, location)
        if scalar is None or isinstance(scalar, bool):
            raise self._error(location, "wrong_type", f"{order} compares with a number, text or a date.")
        return Ordered(on, path, order, scalar)

    def _date_or_datetime(self, raw: _Fields, location: _Location) -> Day | Instant:
        if len(raw) == 1:
            text = next(iter(raw.values()))
            if "date" in raw and isinstance(text, str) and re.fullmatch(DAY, text):
                return Day(text)
            if "datetime" in raw and isinstance(text, str) and re.fullmatch(INSTANT, text):
                return Instant(text)
        detail = 'Must be a plain value, {"date": "2024-06-30"} or {"datetime": "2024-06-30T09:30:00Z"}.'
        raise self._error(location, "wrong_type", detail)

    def _path(self, raw: object, location: _Location) -> Path:
        if isinstance(raw, str):
            return (self._key(raw, location),)
        return self._keys(raw, location, minimum=1, limit=MAX_PATH_LENGTH)

    def _keys(self, raw: object, location: _Location, *, minimum: int, limit: int) -> tuple[str, ...]:
        if not isinstance(raw, list) or not minimum <= len(raw) <= limit:
            raise self._error(location, "wrong_type", f"Must be a list of {minimum} to {limit} keys.")
        return tuple(self._key(key, (*location, number)) for number, key in enumerate(raw))

    def _key(self, raw: object, location: _Location) -> str:
        if not isinstance(raw, str):
            raise self._error(location, "wrong_type", "A key must be text.")
        if problem := key_problem(raw):
            raise self._error(location, "bad_key", f"This key {problem}.")
        return raw

    def _scalars(self, raw: object, location: _Location) -> tuple[Scalar, ...]:
        if not isinstance(raw, list) or len(raw) > MAX_VALUES:
            raise self._error(location, "wrong_type", f"Must be a list of at most {MAX_VALUES} values.")
        return tuple(self._scalar(value, (*location, number)) for number, value in enumerate(raw))

    def _scalar(self, raw: object, location: _Location) -> Scalar:
        if raw is not None and not isinstance(raw, str | int | float):
            raise self._error(location, "wrong_type", "Must be text, a number, true, false or null.")
        if isinstance(raw, str) and len(raw) > MAX_TEXT:
            raise self._error(location, "too_long", f"Text in a filter has at most {MAX_TEXT} characters.")
        if problem := scalar_problem(raw):
            raise self._error(location, "bad_value", f"This value {problem}.")
        return raw

    def _text(self, raw: object, location: _Location) -> str:
        text = self._scalar(raw, location)
        if not isinstance(text, str):
            raise self._error(location, "wrong_type", "Must be text.")
        return text

    def _forbid_value(self, fields: _Fields, location: _Location, subject: str) -> None:
        # A widely used client sends "" for every value that its caller omits.
        if fields.get("value") not in (None, ""):
            raise self._error((*location, "value"), "not_allowed", f"No value is allowed with {subject}.")

    def _choice(self, raw: object, location: _Location, choices: tuple[str, ...]) -> str:
        if not isinstance(raw, str) or raw not in choices:
            raise self._error(location, "unknown_word", f"Must be one of {', '.join(choices)}.")
        return raw

    def _error(self, location: _Location, code: str, detail: str) -> FilterInvalid:
        return FilterInvalid(detail, problems=(Problem(pointer(location, at=self._at), code, detail),))
