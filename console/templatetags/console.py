"""Numbers, sizes and times as people read them."""

import json
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

register = template.Library()

_UNITS = (("days", 86_400), ("h", 3600), ("min", 60))


@register.filter
def thousands(value: int | None) -> str:
    """Format a whole number with thin spaces between thousands."""
    return "-" if value is None else f"{value:,}".replace(",", "\u2009")


@register.filter
def ago(moment: datetime) -> str:
    """Format how long ago something was."""
    seconds = (timezone.now() - moment).total_seconds()
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{round(seconds / length)} {unit} ago"
    return "now"


@register.filter(name="json")
def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@register.filter
def part_label(part: Any) -> str:
    """Describe a part of a query that is not its text."""
    if not isinstance(part, dict):
        return "part"
    avoids = isinstance(part.get("weight"), int | float) and part["weight"] < 0
    place = part.get("page") or part.get("crop")
    if not isinstance(place, dict):
        return f"not: {part['text']}" if avoids and isinstance(part.get("text"), str) else "part"
    what = "part of " if "crop" in part else ""
    like = "unlike" if avoids else "like"
    return f"{like} {what}{place.get('document_name', '')}, page {place.get('page_number', '')}"
