"""Identifiers in a query: names, numbers and codes that only a page which contains them can answer."""

import re
import unicodedata
from itertools import pairwise

# Punctuation inside keeps identifiers whole: INV-2023-0042, SO_PEERCRED, /etc/fstab.d.
_TOKEN = re.compile(r"(?P<option>--)?(?P<name>[^\W_]+(?:(?:[^\w\s]|_)+[^\W_]+)*)")
_MAX_LENGTH = 255
_LEAST_DIGITS = 5


def identifiers(text: str) -> set[str]:
    """Return the identifiers of a text as the full-text index has them: letters and digits only, in lower case."""
    tokens = _TOKEN.finditer(unicodedata.normalize("NFKC", text))
    names = {_letters_and_digits(token["name"]) for token in tokens if _is_identifier(token)}
    return {name for name in names if len(name) <= _MAX_LENGTH}


def _is_identifier(token: re.Match[str]) -> bool:
    name = token["name"]
    whole = name.isalnum()
    if any(map(str.isdigit, name)):
        return not whole or len(name) >= _LEAST_DIGITS or any(map(str.isalpha, name))
    has_inner_capital = any(one.islower() and other.isupper() for one, other in pairwise(name))
    return "_" in name or has_inner_capital or (token["option"] is not None and not whole)


def _letters_and_digits(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()
