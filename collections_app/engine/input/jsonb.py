"""What a Postgres jsonb column can hold: text without NUL and lone surrogates, finite numbers."""

import json
import math
import re
from collections.abc import Sequence
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Json: TypeAlias = "dict[str, Json] | list[Json] | Scalar"

MAX_KEY = 255
# jsonb gives 1e308 back as an integer of 309 digits; what we hand out must be welcome when it returns.
MAX_INTEGER = 10**309

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def pointer(path: Sequence[str | int], *, at: str = "") -> str:
    """The JSON pointer of a place, below the place `at`."""
    return at + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def quoted(text: str) -> str:
    """Foreign text for a message: short, in quotes, plain ASCII, so that any encoder can carry it."""
    return json.dumps(text if len(text) <= 40 else text[:40] + "...")


def text_problem(text: str) -> str | None:
    """Why jsonb cannot hold this text, as the end of a sentence; None if it can."""
    if not (found := _UNFIT.search(text)):
        return None
    return "holds the character NUL" if found[0] == "\x00" else "holds half of a surrogate pair"


def key_problem(key: str) -> str | None:
    if len(key) > MAX_KEY:
        return f"has more than {MAX_KEY} characters"
    return text_problem(key)


def number_problem(number: int | float) -> str | None:
    """Why a number is refused. JSON's 1e400 arrives here as infinity."""
    if isinstance(number, float):
        return None if math.isfinite(number) else "is not a finite number"
    return None if -MAX_INTEGER < number < MAX_INTEGER else "has too many digits"


def scalar_problem(value: Scalar) -> str | None:
    if isinstance(value, str):
        return text_problem(value)
    return number_problem(value) if isinstance(value, int | float) else None
