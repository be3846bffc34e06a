"""Names of collections and documents: any text that an address can carry and a database can keep."""

import re

from collections_app.engine.input.errors import NameInvalid, NameReserved
from paliapi.errors import Problem

LONGEST = 255

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# What would be taken for another address of the API: /v1/documents/NAME/ must always mean the document.
_OTHER_THAN_DOCUMENTS = re.compile(
    r"(upsert-document|delete-document(/.*)?|.+/(cancel|retry|events)|.+/pages/[0-9]+/image)/?", re.DOTALL
)
_OTHER_THAN_COLLECTIONS = re.compile(r".+/quality/?", re.DOTALL)


def document_checked(name: str, *, at: str) -> str:
    """The same name, if a document of it can be kept and reached; `at` is where it lies in the request."""
    return _checked(name, at=at, taken=_OTHER_THAN_DOCUMENTS)


def collection_checked(name: str, *, at: str) -> str:
    """The same for a collection, which cannot be called `all` either."""
    if name.lower() == "all":
        _reserved(at, "`all` means every collection, so none can have this name.")
    return _checked(name, at=at, taken=_OTHER_THAN_COLLECTIONS)


def _checked(name: str, *, at: str, taken: re.Pattern[str]) -> str:
    if not name.strip():
        _refuse(at, "A name must have at least one visible character.")
    if len(name) > LONGEST:
        _refuse(at, f"A name may have at most {LONGEST} characters; this one has {len(name)}.")
    if _UNPRINTABLE.search(name):
        _refuse(at, "A name must not hold control characters or halves of characters.")
    if any(step in {".", ".."} for step in name.split("/")):
        _refuse(at, "A name must not be, or hold as a step of a path, `.` or `..`: clients cannot ask for it.")
    if taken.fullmatch(name):
        _reserved(at, "This name would be taken for another address of the API.")
    return name


def _reserved(at: str, detail: str) -> None:
    raise NameReserved(detail, problems=(Problem(at, NameReserved.code, detail),))


def _refuse(at: str, detail: str) -> None:
    raise NameInvalid(detail, problems=(Problem(at, NameInvalid.code, detail),))
