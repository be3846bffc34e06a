"""A slow and obvious reference implementation of conditions, with which the SQL must agree."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from collections_app.engine.input.filter_conditions import (
    INSTANT,
    Affix,
    And,
    Condition,
    Contains,
    Dated,
    Day,
    Exists,
    HasKeys,
    Instant,
    Not,
    OneOf,
    Or,
    Ordered,
    Within,
)

MISSING = object()


def matches(condition: Condition, document: dict[str, Any], collection: dict[str, Any]) -> bool:
    match condition:
        case And(parts):
            return all(matches(part, document, collection) for part in parts)
        case Or(parts):
            return any(matches(part, document, collection) for part in parts)
        case Not(part):
            return not matches(part, document, collection)
    metadata = document if condition.on == "document" else collection
    match condition:
        case OneOf(_, path, values):
            return any(same(value_at(metadata, path), value) for value in values)
        case Exists(_, path):
            return value_at(metadata, path) is not MISSING
        case HasKeys(_, keys, every):
            return all(key in metadata for key in keys) if every else any(key in metadata for key in keys)
        case Within(_, key, value):
            return all(name == key and same(stored, value) for name, stored in metadata.items())
        case Contains(_, path, value):
            return contains(value_at(metadata, path), value)
        case Affix(_, path, text, at_end):
            stored = value_at(metadata, path)
            return isinstance(stored, str) and (stored.endswith(text) if at_end else stored.startswith(text))
        case Ordered(_, path, order, value):
            stored = value_at(metadata, path)
            return kind(stored) == kind(value) and in_order(stored, order, value)
        case Dated(_, path, order, moment):
            return dated(value_at(metadata, path), order, moment)


def value_at(metadata: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(metadata, dict) or key not in metadata:
            return MISSING
        metadata = metadata[key]
    return metadata


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def same(stored: Any, value: Any) -> bool:
    if kind(stored) != kind(value):
        return False
    return bool(decimal(stored) == decimal(value) if kind(value) == "number" else stored == value)


def decimal(number: float) -> Decimal:
    """Return the number as JSON writes it, which is how jsonb stores it."""
    return Decimal(repr(number))


def contains(stored: Any, value: Any) -> bool:
    if isinstance(stored, list):
        return any(same(element, value) for element in stored)
    return isinstance(stored, str) and isinstance(value, str) and value in stored


def in_order(left: Any, order: str, right: Any) -> bool:
    if kind(left) == "number":
        left, right = decimal(left), decimal(right)
    holds = {"eq": left == right, "gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}
    return bool(holds[order])


def dated(stored: Any, order: str, moment: Day | Instant) -> bool:
    if not isinstance(stored, str) or not re.fullmatch(INSTANT, stored):
        return False
    left, right = instant(stored), instant(moment.text)
    return in_order(left.date(), order, right.date()) if isinstance(moment, Day) else in_order(left, order, right)


def instant(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
