"""The scripts in which a text is written."""

import unicodedata
from collections import Counter
from typing import Final

# Unicode names begin with the script, except of these.
_NAMES: Final = {"CJK": "Han", "IDEOGRAPHIC": "Han"}
_NO_SCRIPTS: Final = {
    "MODIFIER",
    "MATHEMATICAL",
    "BLACK-LETTER",
    "DOUBLE-STRUCK",
    "SCRIPT",
    "TURNED",
    "EULER",
    "KATAKANA-HIRAGANA",
}
# Fewer letters than this share are a quotation or a symbol.
_LEAST_SHARE = 0.02


def scripts_of(text: str) -> list[str]:
    """Return the scripts of the letters of a text by their English names, the most frequent first."""
    letters: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if script := _script(character):
            letters[script] += count
    least = _LEAST_SHARE * letters.total()
    return [script for script, count in letters.most_common() if count >= least]


def _script(character: str) -> str | None:
    """Return the script of a letter; None if it has none, or if the character is no letter."""
    if not character.isalpha():
        return None
    # Compatibility forms, such as letters of full width, are those of another letter.
    normal = unicodedata.normalize("NFKC", character)[:1]
    first = unicodedata.name(normal, "").partition(" ")[0]
    return None if first in _NO_SCRIPTS or not normal.isalpha() else _NAMES.get(first, first.capitalize()) or None
