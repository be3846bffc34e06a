"""Options that several commands have, and how people write and read values."""

import re
import sys
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, get_args

import typer

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.printable import printable

DEFAULT_COLLECTION = "default_collection"

Collection = Annotated[str, typer.Option("--collection", "-c", metavar="NAME", help="The collection.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

_DURATION = re.compile(r"^(\d{1,6})([hdw])$")
_HOURS = {"h": 1, "d": 24, "w": 168}


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; without a terminal to ask in, only `--yes` confirms."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Complaint("confirmation_needed", f"{question} Confirm with --yes.")
    if not typer.confirm(printable(question), err=True):
        raise Complaint("not_confirmed", "Nothing was changed.")


def chosen(option: str, values: list[str] | None, choices: Any) -> list[Any] | None:
    """Return the values of an option that may be repeated; each must be one of a Literal. None if there are none."""
    allowed = get_args(choices)
    for value in values or []:
        if value not in allowed:
            raise Complaint("value_invalid", f"{option} is one of {', '.join(allowed)}.")
    return values or None


def parse_expiry(text: str) -> datetime:
    """Return when something expires: `12h`, `30d`, `8w`, or a date, with or without a time."""
    if match := _DURATION.match(text):
        return datetime.now(timezone.utc) + timedelta(hours=int(match[1]) * _HOURS[match[2]])
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise Complaint("expiry_invalid", "An expiry is 12h, 30d, 8w, or a date such as 2027-01-31.") from error
    return moment if moment.tzinfo else moment.astimezone()


def counted(number: int, noun: str) -> str:
    """Return `1 file` or `2 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a duration for people."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
