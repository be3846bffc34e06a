import re
import sys

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


@pytest.mark.parametrize(
    ("pattern", "forbidden"),
    [
        (UNSTORABLE, SURROGATES | {"\0"}),
        (FORBIDDEN_IN_NAMES, SURROGATES | CONTROLS),
        (FORBIDDEN_IN_WORDS, SURROGATES | CONTROLS | NONCHARACTERS),
        (FORBIDDEN_IN_PAGE_TEXT, (SURROGATES | CONTROLS | NONCHARACTERS) - {"\t", "\n", "\r"}),
    ],
    ids=["unstorable", "names", "words", "page text"],
)
def test_each_pattern_matches_exactly_its_characters(pattern: re.Pattern[str], forbidden: set[str]) -> None:
    match = pattern.fullmatch
    assert {letter for letter in EVERY_CHARACTER if match(letter)} == forbidden
