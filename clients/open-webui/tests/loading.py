"""Loading a file as Open WebUI does: its text is executed in a new module, from which the class is taken."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent


def loaded(name: str, **valves: Any) -> Any:
    """Return the instance of `Tools` or `Pipe` in a file, with these valves."""
    content = (FOLDER / name).read_text(encoding="utf-8")
    module = types.ModuleType("loaded")
    exec(content, module.__dict__)  # noqa: S102 - as Open WebUI does
    instance = module.Tools() if hasattr(module, "Tools") else module.Pipe()
    instance.valves = instance.Valves(**(instance.valves.model_dump() | valves))
    return instance


def frontmatter(name: str) -> dict[str, str]:
    """Return what Open WebUI reads from the first lines of a file."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    assert lines[0] == '"""'
    return dict(re.fullmatch(r"([a-z_]+): (.*)", line).groups() for line in lines[1 : lines.index('"""', 1)])  # type: ignore[union-attr]


class Events(list[dict[str, Any]]):
    """What a function emits."""

    async def __call__(self, event: dict[str, Any]) -> None:
        self.append(event)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event["data"] for event in self if event["type"] == kind]
