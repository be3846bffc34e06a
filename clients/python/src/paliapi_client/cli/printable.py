"""Text from elsewhere, made safe for a terminal: names and error messages can contain control sequences."""

import json
import re
from typing import Any

# Control characters, lone surrogates, and characters that reorder or hide text.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_UNSAFE_EXCEPT_NEWLINE = re.compile(f"(?!\n){_UNSAFE.pattern}")


def printable(text: object) -> str:
    """Return text on one line, with unsafe characters as visible escapes."""
    return _UNSAFE.sub(_escape, str(text))


def printable_lines(text: str) -> str:
    """Return text with its line breaks, and other unsafe characters as visible escapes."""
    return _UNSAFE_EXCEPT_NEWLINE.sub(_escape, text.replace("\r\n", "\n"))


def printable_json(value: Any) -> str:
    """Return JSON in which unsafe characters are escaped, which readers of JSON undo."""
    return _UNSAFE_EXCEPT_NEWLINE.sub(_escape_json, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def printable_json_line(value: Any) -> str:
    """Return JSON on one line."""
    return _UNSAFE.sub(_escape_json, json.dumps(value, ensure_ascii=False, allow_nan=False))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_json(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
