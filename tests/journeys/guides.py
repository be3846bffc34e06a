"""Run the commands of a documentation page, block by block."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from paliapi.env import ROOT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_AS_SHOWN = {"code", "status", "query", "document_name", "page_number", "mode", "ranking"}


@dataclass(frozen=True)
class Block:
    """Lines to run, and the output that the page shows."""

    language: str
    text: str
    answer: Any = None

    @property
    def fails(self) -> bool:
        return isinstance(self.answer, dict) and isinstance(status := self.answer.get("status"), int) and status >= 400


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page that can be run, in order."""
    results = _BLOCK.findall(page.read_text())
    for (language, text), (after, answer) in zip(results, [*results[1:], ("", "")], strict=True):
        if language in ("bash", "python"):
            yield Block(language, text, json.loads(answer) if after == "json" else None)


@dataclass
class Reader:
    """A user with a key who runs everything on a page; `said` is all output."""

    key: str
    home: Path
    places: dict[str, str]
    said: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    def does(self, page: Path) -> None:
        (self.home / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
        try:
            for block in blocks(page):
                text = block.text
                for there, here in self.places.items():
                    text = text.replace(there, here)
                if block.language == "bash":
                    self._paste(text, block)
                else:
                    exec(compile(text, page.name, "exec"), self.names)  # noqa: S102 - our own page
        finally:
            for value in self.names.values():
                if isinstance(value, httpx.Client):
                    value.close()

    def _paste(self, text: str, block: Block) -> None:
        environment = {"PATH": os.defpath, "HOME": str(self.home), "KEY": self.key}
        run = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", text],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.said.append(run.stdout)
        assert (run.returncode != 0) == block.fails, f"{block.text}\n{run.stderr}\n{run.stdout[:1000]}"
        if block.answer is not None:
            lacks = [*missing(block.answer, json.loads(run.stdout))]
            assert lacks == [], f"{lacks}\n{block.text}\n{run.stdout[:1000]}"


def missing(shown: Any, payload: Any, at: str = "") -> Iterator[str]:
    """Return where the output on a page has something that the real output lacks."""
    if isinstance(shown, dict) and isinstance(payload, dict):
        for name, value in shown.items():
            yield from missing(value, payload.get(name, ...), f"{at}/{name}")
    elif isinstance(shown, list) and isinstance(payload, list):
        for number, value in enumerate(shown):
            yield from missing(value, payload[number] if number < len(payload) else ..., f"{at}/{number}")
    elif payload is ... or _differs(shown, payload, exactly=at.rpartition("/")[2] in _AS_SHOWN):
        yield at


def _differs(shown: Any, payload: Any, *, exactly: bool) -> bool:
    return bool(shown != payload) if exactly else None not in (shown, payload) and _kind(shown) is not _kind(payload)


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)
