"""What a Postgres jsonb column can store: text without NUL and unpaired surrogates, and finite numbers.

Functions named `..._problem` return the end of a sentence that says what is wrong, or None.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from collections_app.engine.text_rules import UNSTORABLE

Scalar: TypeAlias = str | int | float | bool | None
Json: TypeAlias = "dict[str, Json] | list[Json] | Scalar"

MAX_KEY_LENGTH = 255
# jsonb returns 1e308 as an integer of 309 digits, and clients must be able to send back what they received.
MAX_INTEGER = 10**309


def pointer(path: Sequence[str | int], *, at: str = "") -> str:
    """Return the JSON pointer of a path below the pointer `at`."""
    return at + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def quote(text: str) -> str:
    """Return untrusted text for a message: short, quoted, and in ASCII so that any encoder accepts it."""
    return json.dumps(text if len(text) <= 40 else text[:40] + "...")


def text_problem(text: str) -> str | None:
    match = UNSTORABLE.search(text)
    if match is None:
        return None
    return "contains a NUL character" if match[0] == "\x00" else "contains an unpaired surrogate"


def key_problem(key: str) -> str | None:
    if len(key) > MAX_KEY_LENGTH:
        return f"has more than {MAX_KEY_LENGTH} characters"
    return text_problem(key)


def number_problem(number: int | float) -> str | None:
    # JSON's 1e400 is parsed as infinity.
    if isinstance(number, float):
        return None if math.isfinite(number) else "is not a finite number"
    return None if -MAX_INTEGER < number < MAX_INTEGER else "has too many digits"


def scalar_problem(value: Scalar) -> str | None:
    if isinstance(value, str):
        return text_problem(value)
    return number_problem(value) if isinstance(value, int | float) else None


def size(value: Mapping[str, Any]) -> int:
    """Return the size of an object as compact JSON in UTF-8; an empty one counts nothing."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) if value else 0
