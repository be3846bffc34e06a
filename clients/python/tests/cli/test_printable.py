"""Text from elsewhere in a terminal."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from paliapi_client.cli.printable import printable, printable_json, printable_json_line, printable_lines

HOSTILE = "a\x1b]0;title\x07b\x9b31mc\u202ed\ud800\u200b\x7f\U000e0041\n"


@pytest.mark.parametrize("render", [printable, printable_json, printable_json_line, printable_lines])
def test_no_control_character_is_left(render: Callable[[Any], str]) -> None:
    text = render(HOSTILE)
    assert all(one.isprintable() or one == "\n" for one in text)
    text.encode("utf-8")


def test_text_of_any_language_is_unchanged() -> None:
    for text in ("Straße", "灯台", "منارة", "👩‍🚒 e\u0301"):
        assert printable(text) == text


def test_json_is_read_as_what_was_written() -> None:
    assert json.loads(printable_json({HOSTILE: [HOSTILE]})) == {HOSTILE: [HOSTILE]}
    assert json.loads(printable_json_line({"x": "\u2028\U000e0041"})) == {"x": "\u2028\U000e0041"}
