"""Conditions on metadata, as values: `filter_parser` parses them, `collections_app.search.filter_sql` writes the SQL.

Every condition is either true or false for a row, never unknown: `Not` is true exactly where its part is false, so it
is also true where a key is missing. A path leads through objects only, never into lists.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from collections_app.engine.input.jsonb import Scalar

On: TypeAlias = Literal["document", "collection"]
Order: TypeAlias = Literal["gt", "gte", "lt", "lte"]
Path: TypeAlias = tuple[str, ...]

# These patterns mean the same in Python (with fullmatch) and in Postgres. They match only dates that exist, so that no
# row can make a cast fail.
DAY = (
    "(?!0000)(?:"
    "[0-9]{4}-(?:"
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29"
    ")"
)
ZONE = "(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"
INSTANT = f"{DAY}(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{{1,9}})?)?{ZONE}?)?"


@dataclass(frozen=True, slots=True)
class Day:
    """A whole day in UTC, such as 2024-02-29."""

    text: str


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time that matches INSTANT. Without a zone it is in UTC; without a time it is midnight."""

    text: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value at `path` equals one of `values` in type and value; numbers compare by value only (1 is 1.0)."""

    on: On
    path: Path
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Ordered:
    """Numbers compare with numbers, and text with text by code point; any other comparison is false."""

    on: On
    path: Path
    order: Order
    value: int | float | str


@dataclass(frozen=True, slots=True)
class Dated:
    """Text that is a date or a time, compared by day (`Day`) or by instant; for any other value it is false."""

    on: On
    path: Path
    order: Order | Literal["eq"]
    value: Day | Instant


@dataclass(frozen=True, slots=True)
class Contains:
    """A list with this element or, if `value` is text, a text with this substring; case matters."""

    on: On
    path: Path
    value: Scalar


@dataclass(frozen=True, slots=True)
class Affix:
    """A text that starts with this one or, if `at_end`, ends with it; case matters."""

    on: On
    path: Path
    text: str
    at_end: bool


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a value at `path`, even if it is null."""

    on: On
    path: Path


@dataclass(frozen=True, slots=True)
class HasKeys:
    """The outermost object has all of the keys (`every`), or at least one."""

    on: On
    keys: tuple[str, ...]
    every: bool


@dataclass(frozen=True, slots=True)
class Within:
    """The metadata is empty, or contains nothing but this key and value."""

    on: On
    key: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Condition: TypeAlias = And | Or | Not | OneOf | Ordered | Dated | Contains | Affix | Exists | HasKeys | Within


@dataclass(frozen=True, slots=True)
class Filter:
    """A whole filter. `on` says what it selects; a filter on collections has no conditions on documents."""

    on: On
    condition: Condition
