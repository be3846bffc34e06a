"""The part of a page's text that a list of hits shows."""

import re

_WORD = re.compile(r"\w+")
_SPACE = re.compile(r"\s+")


def snippet(text: str, query: str, *, length: int = 160) -> str:
    """Return the part of a text with most words of the query, on one line; the longer words count more."""
    line = _SPACE.sub(" ", text[:50_000]).strip()
    if len(line) <= length:
        return line
    words = {word for word in _WORD.findall(query.casefold()) if len(word) > 2}
    matches = [(one.start(), len(one[0])) for one in _WORD.finditer(line) if one[0].casefold() in words]
    best_start, best_weight = 0, 0
    for number, (start, _) in enumerate(matches):
        weight = sum(size for begin, size in matches[number : number + 50] if begin + size <= start + length)
        if weight > best_weight:
            best_start, best_weight = start, weight
    begin = _word_start(line, max(0, best_start - length // 5))
    end = line.rfind(" ", begin, begin + length)
    end = len(line) if begin + length >= len(line) else end if end > begin else begin + length
    return f"{'…' if begin else ''}{line[begin:end]}{'…' if end < len(line) else ''}"


def _word_start(line: str, position: int) -> int:
    return position if position == 0 else line.find(" ", position) + 1
