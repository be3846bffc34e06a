"""Answers of the API as JSON: the API's own field names, without internals of the client."""

import dataclasses
import math
from datetime import datetime
from typing import Any

_OF_THE_CLIENT = frozenset({"etag"})


def as_json(value: Any, *, without: frozenset[str] = frozenset()) -> Any:
    """Return dataclasses as objects, without some of their fields and without those that only the client has."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: as_json(getattr(value, field.name), without=without)
            for field in dataclasses.fields(value)
            if not field.metadata.get("client") and field.name not in _OF_THE_CLIENT | without
        }
    if isinstance(value, dict):
        return {str(key): as_json(one, without=without) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one, without=without) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no such number
    return value.isoformat() if isinstance(value, datetime) else value
