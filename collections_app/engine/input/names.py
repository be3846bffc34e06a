"""Names of collections and documents: any text that a URL can carry and a database can store."""

import re
import unicodedata

from collections_app.engine.input.errors import NameInvalid, NameReserved
from collections_app.engine.text_rules import FORBIDDEN_IN_NAMES
from paliapi.errors import Problem
from paliapi.units import MAX_NAME_LENGTH

ALL_COLLECTIONS = "all"  # in a request: every collection that the caller may use

# The fillers of Hangul, and a Braille pattern without dots.
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")

# Names that would read as another path of the API: /v1/documents/NAME/ must always mean the document.
_RESERVED_FOR_DOCUMENTS = re.compile(
    r"(upsert-documents?|delete-document(/.*)?|.+/(cancel|retry|events)|.+/pages/[0-9]+/image)/?", re.DOTALL
)
_RESERVED_FOR_COLLECTIONS = re.compile(r".+/quality/?", re.DOTALL)


def check_document_name(name: str, *, at: str) -> str:
    """Return the same name if a document can have it, or raise; `at` is its JSON pointer in the request."""
    return _check(name, at=at, reserved=_RESERVED_FOR_DOCUMENTS)


def check_collection_name(name: str, *, at: str) -> str:
    """Return the same name if a collection can have it, or raise; `at` is its JSON pointer in the request."""
    if name.lower() == ALL_COLLECTIONS:
        raise _reserved(at, "`all` means every collection, so no collection can have this name.")
    return _check(name, at=at, reserved=_RESERVED_FOR_COLLECTIONS)


def _check(name: str, *, at: str, reserved: re.Pattern[str]) -> str:
    if not any(map(_is_visible, name)):
        raise _invalid(at, "A name must have at least one visible character.")
    if len(name) > MAX_NAME_LENGTH:
        raise _invalid(at, f"A name may have at most {MAX_NAME_LENGTH} characters; this one has {len(name)}.")
    if FORBIDDEN_IN_NAMES.search(name):
        raise _invalid(
            at, "A name must not contain control characters, invisible format characters or unpaired surrogates."
        )
    if any(step in {".", ".."} for step in name.split("/")):
        raise _invalid(at, "A name must not have `.` or `..` as a path segment: clients cannot request it.")
    if reserved.fullmatch(name):
        raise _reserved(at, "This name would be read as another path of the API.")
    return name


def _is_visible(character: str) -> bool:
    """Check for anything but white space, control and format characters, and letters that are drawn as nothing."""
    return unicodedata.category(character)[0] not in "CZ" and character not in _BLANK_LETTERS


def _reserved(at: str, detail: str) -> NameReserved:
    return NameReserved(detail, problems=(Problem(at, NameReserved.code, detail),))


def _invalid(at: str, detail: str) -> NameInvalid:
    return NameInvalid(detail, problems=(Problem(at, NameInvalid.code, detail),))
