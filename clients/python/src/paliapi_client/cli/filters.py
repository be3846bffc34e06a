"""Filters on the command line: JSON, or conditions such as `year>=2024`."""

import json
import re
from typing import Any

from paliapi_client.cli.complaints import Complaint

_CONDITION = re.compile(r"^(?P<key>[^=!<>~]+?)\s*(?P<op>!=|>=|<=|=|>|<|~)\s*(?P<value>.*)$", re.DOTALL)
_OPERATORS = {"=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "~": "contains"}


def parse_filters(texts: list[str]) -> dict[str, Any] | None:
    """Return the filter that all of the texts describe together; None without any."""
    parsed = [parse_filter(text) for text in texts]
    if len(parsed) > 1:
        return {"and": parsed}
    return parsed[0] if parsed else None


def parse_filter(text: str) -> dict[str, Any]:
    """Return one filter. `year>=2024`, `author=Smeaton`, `tags~"coast"`, `year` (it exists), `!year`, or JSON."""
    stripped = text.strip()
    if stripped.startswith("{"):
        value = _json_or_none(stripped)
        if not isinstance(value, dict):
            raise Complaint("filter_invalid", f"The filter is not a JSON object: {stripped}")
        return value
    match = _CONDITION.match(stripped)
    if match:
        return {"key": _path(match["key"]), "op": _OPERATORS[match["op"]], "value": _value(match["value"].strip())}
    key = stripped.removeprefix("!").strip()
    if not key:
        raise Complaint("filter_invalid", "A filter is a condition, such as year>=2024, or JSON.")
    exists = {"key": _path(key), "op": "exists"}
    return {"not": exists} if stripped.startswith("!") else exists


def _path(key: str) -> str | list[str]:
    parts = key.strip().split(".")
    return parts if len(parts) > 1 else parts[0]


def _value(text: str) -> Any:
    """Return a JSON value, or the text itself if it is none: types matter to filters."""
    value = _json_or_none(text)
    return text if value is None and text != "null" else value


def _json_or_none(text: str) -> Any:
    def reject(constant: str) -> Any:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=reject)
    except (ValueError, RecursionError):
        return None
