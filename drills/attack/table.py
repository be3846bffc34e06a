"""The table of attacks in `docs/security.md`, made from the results of the last whole run."""

from collections.abc import Sequence
from typing import TypedDict

from paliapi import env

RESULTS = env.ROOT / "drills" / "results" / "attack.json"
PAGE = env.ROOT / "docs" / "security.md"
START, END = "<!-- made by make attack -->\n", "<!-- end -->\n"


class Row(TypedDict):
    """The outcome of one attack."""

    attack: str
    before: str
    now: str
    held: bool


def markdown(rows: Sequence[Row]) -> str:
    lines = [f"| {row['attack']} | {row['before']} | {'' if row['held'] else 'BROKEN: '}{row['now']} |" for row in rows]
    return "\n".join(["| Attack | Before | Now |", "|---|---|---|", *lines]) + "\n"


def write(rows: Sequence[Row]) -> None:
    """Replace the table in the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}{markdown(rows)}{END}{after}", encoding="utf-8")
