import re
import sys
import unicodedata

import pytest

from collections_app.engine.text_rules import (
    FORBIDDEN_IN_NAMES,
    FORBIDDEN_IN_PAGE_TEXT,
    FORBIDDEN_IN_WORDS,
    UNSTORABLE,
)

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1)]
SURROGATES = {chr(code) for code in range(0xD800, 0xE000)}
CONTROLS = {chr(code) for code in range(0x20)} | {"\x7f"}
NONCHARACTERS = {"\ufffe", "\uffff"}

# Format characters that languages need: joiners, direction marks, and signs that enclose or join letters.
NEEDED = {chr(code) for code in (0x061C, 0x06DD, 0x070F, 0x08E2, 0x180E, 0x110BD, 0x110CD)} | {
    chr(code)
    for first, last in ((0x0600, 0x0605), (0x0890, 0x0891), (0x200C, 0x200F), (0x13430, 0x1343F))
    for code in range(first, last + 1)
}
TAGS = {chr(code) for code in range(0xE0000, 0xE0080)}
INVISIBLE = {letter for letter in EVERY_CHARACTER if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp")}
INVISIBLE = (INVISIBLE | TAGS | {"\u2065"}) - NEEDED


@pytest.mark.parametrize(
    ("pattern", "forbidden"),
    [
        (UNSTORABLE, SURROGATES | {"\0"}),
        (FORBIDDEN_IN_NAMES, SURROGATES | CONTROLS | INVISIBLE),
        (FORBIDDEN_IN_WORDS, SURROGATES | CONTROLS | NONCHARACTERS),
        (FORBIDDEN_IN_PAGE_TEXT, (SURROGATES | CONTROLS | NONCHARACTERS) - {"\t", "\n", "\r"}),
    ],
    ids=["unstorable", "names", "words", "page text"],
)
def test_each_pattern_matches_exactly_its_characters(pattern: re.Pattern[str], forbidden: set[str]) -> None:
    match = pattern.fullmatch
    assert {letter for letter in EVERY_CHARACTER if match(letter)} == forbidden
