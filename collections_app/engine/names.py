"""Names of collections and documents: any text that an address can carry and a database can keep."""

import re

from collections_app.errors import NameInvalid, NameReserved
from paliapi.errors import Problem

LONGEST = 255

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# What would be taken for another address of the API: /v1/documents/NAME/ must always mean the document.
_TAKEN_BY_ROUTES = re.compile(
    r"(upsert-document|delete-document(/.*)?|(.*/)?(cancel|retry|events|quality)|(.*/)?pages/\d+/image)/?", re.DOTALL
)


def checked(name: str, *, at: str) -> str:
    """The same name, if it can be kept and reached; `at` is where it lies in the request."""
    if not name.strip():
        _refuse(at, "A name must have at least one visible character.")
    if len(name) > LONGEST:
        _refuse(at, f"A name may have at most {LONGEST} characters; this one has {len(name)}.")
    if _UNPRINTABLE.search(name):
        _refuse(at, "A name must not hold control characters or halves of characters.")
    if any(step in {".", ".."} for step in name.split("/")):
        _refuse(at, "A name must not be, or hold as a step of a path, `.` or `..`: clients cannot ask for it.")
    if _TAKEN_BY_ROUTES.fullmatch(name):
        detail = "This name would be taken for another address of the API."
        raise NameReserved(detail, problems=(Problem(at, NameReserved.code, detail),))
    return name


def collection_checked(name: str, *, at: str) -> str:
    """As `checked`; and not `all`, which means every collection."""
    if name.lower() == "all":
        detail = "`all` means every collection, so none can have this name."
        raise NameReserved(detail, problems=(Problem(at, NameReserved.code, detail),))
    return checked(name, at=at)


def _refuse(at: str, detail: str) -> None:
    raise NameInvalid(detail, problems=(Problem(at, NameInvalid.code, detail),))
