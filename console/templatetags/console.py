"""Numbers, sizes and times as people read them."""

import json
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from accounts.access import Caller, Scope
from paliapi.units import MEBIBYTE

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


@register.filter
def from_now(moment: datetime) -> str:
    """Format how long it is until something."""
    seconds = (moment - timezone.now()).total_seconds()
    return f"in {duration(seconds)}" if seconds >= 1 else "now"


@register.filter
def duration(seconds: float) -> str:
    """Format how long something takes or took."""
    for unit, length in _UNITS:
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {unit}"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{round(seconds)} s"


@register.filter
def megabytes(size: int) -> str:
    return f"{size / MEBIBYTE:.2f}"


@register.filter
def may(caller: Caller, scope: Scope) -> bool:
    """Return whether the key in use has a scope."""
    return caller.may(scope)


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
