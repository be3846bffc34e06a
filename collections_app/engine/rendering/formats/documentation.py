"""The table of formats in docs/formats.md."""

import re

from collections_app.engine.rendering.formats.base import PDF_RENDERER, Format
from collections_app.engine.rendering.formats.registry import FORMATS

_TABLE = re.compile(r"(?<=<!-- formats -->\n).*?(?=<!-- end of formats -->)", re.DOTALL)


def update(page: str) -> str:
    """Return the page with a current table between its two markers."""
    if not _TABLE.search(page):
        raise ValueError("the page has no markers for the table of formats")
    return _TABLE.sub(lambda _: f"\n{table()}\n", page)


def table() -> str:
    """Return the table, with one row for formats that are rendered in the same way."""
    rows: dict[tuple[str, str], list[Format]] = {}
    for format_ in FORMATS:
        rows.setdefault((_programs(format_), format_.pages), []).append(format_)
    lines = ["| Files | Detected as | Rendered by | Pages and text |", "|---|---|---|---|"]
    for (programs, pages), formats in rows.items():
        names = ", ".join(dict.fromkeys(format_.name for format_ in formats))
        extensions = " ".join(f"`{format_.extension}`" for format_ in formats)
        lines.append(f"| {names[0].upper()}{names[1:]} | {extensions} | {programs} | {pages} |")
    return "\n".join(lines) + "\n"


def _programs(format_: Format) -> str:
    library = "PDFium" if format_.renderer == PDF_RENDERER else "Pillow"
    return f"LibreOffice, then {library}" if format_.via_office else library
