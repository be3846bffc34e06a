"""What commands write: data to stdout, messages to stderr.

A terminal gets tables in colour, other outputs get lines with tabs between the columns, and `--json` gets JSON.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paliapi_client.cli.printable import printable, printable_json, printable_json_line, printable_lines

_STATUS_STYLES = {
    "ready": "green",
    "done": "green",
    "active": "green",
    "delivered": "green",
    "failed": "red",
    "cancelled": "yellow",
    "revoked": "red",
    "expired": "yellow",
}


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    # Of several columns that do not fit, those that can be shortened are.
    shortened: bool = False


class Output:
    """Where a command writes, and in which form."""

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        for stream in (sys.stdout, sys.stderr):
            # A character that the locale lacks must not end the command.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        self._out = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self.messages = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)

    @property
    def is_terminal(self) -> bool:
        """Whether people read stdout as it is written."""
        return not self.json and sys.stdout.isatty() and not self._out.is_dumb_terminal

    @property
    def shows_progress(self) -> bool:
        return not self.quiet and sys.stderr.isatty() and not self.messages.is_dumb_terminal

    @property
    def width(self) -> int:
        return self._out.width

    @property
    def height(self) -> int:
        return self._out.height

    def document(self, value: Mapping[str, Any]) -> None:
        """Write the JSON document of a command."""
        self._write(printable_json(value) + "\n")

    def event(self, value: Mapping[str, Any]) -> None:
        """Write a line of JSON, of a command that reports what happens while it happens."""
        self._write(printable_json_line(value) + "\n")

    def rows(self, columns: Sequence[Column], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
        """Write a table."""
        cells = [[self._cell(value) for value in row] for row in rows]
        if not self.is_terminal:
            self._write("".join("\t".join(row) + "\n" for row in cells))
        elif cells:
            self._out.print(_table(columns, cells))
        else:
            self.message(empty)

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line of data; line breaks in it are kept."""
        if self.is_terminal:
            self._out.print(Text(printable_lines(text), style=style), soft_wrap=True)
        else:
            self._write(printable_lines(text) + "\n")

    def raw(self, sequence: str) -> None:
        """Write a control sequence of our own to a terminal."""
        self._write(sequence)

    def message(self, text: str, style: str = "") -> None:
        """Write a message for people, unless `--quiet`."""
        if text and not self.quiet:
            self.messages.print(Text(printable_lines(text), style=style), soft_wrap=True)

    def failures(self, title: str, rows: Sequence[Sequence[object]]) -> None:
        """Write a table of failures to stderr."""
        cells = [[self._cell(value) for value in row] for row in rows]
        self.messages.print(Text(title, style="bold red"))
        if self.messages.is_terminal:
            self.messages.print(_table([Column("Name"), Column("Code"), Column("Reason")], cells))
        else:
            sys.stderr.write("".join("\t".join(row) + "\n" for row in cells))

    def error(self, text: str) -> None:
        """Write why the command ends without success."""
        self.messages.print(Text.assemble(("Error: ", "bold red"), printable_lines(text)), soft_wrap=True)

    def _cell(self, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, datetime):
            return value.astimezone().strftime("%Y-%m-%d %H:%M") if self.is_terminal else value.isoformat()
        if isinstance(value, list | tuple):
            return printable(", ".join(map(str, value)))
        return printable(value)

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _table(columns: Sequence[Column], rows: list[list[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        overflow = "ellipsis" if column.shortened else "fold"
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow=overflow,  # type: ignore[arg-type]
            no_wrap=column.shortened or column.right,
        )
    for row in rows:
        table.add_row(*(Text(cell, style=_STATUS_STYLES.get(cell, "")) for cell in row))
    return table
