"""Bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_none(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given."""
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in fields.items()
        if value is not None
    }
