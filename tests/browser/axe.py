"""axe-core, which finds obstacles for people who use a keyboard or a screen reader.

It is fetched from the npm registry once, by the hash in package-lock.json, and never shipped.
"""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from paliapi.env import ROOT

_HERE = Path(__file__).parent
_FOLDER = ROOT / ".tools" / "axe"
_SEVERE = ("serious", "critical")


@cache
def _source() -> str:
    """Return axe-core as JavaScript."""
    package = _FOLDER / "node_modules" / "axe-core"
    locked = json.loads((_HERE / "package-lock.json").read_text())["packages"]["node_modules/axe-core"]["version"]
    if not (package / "axe.min.js").exists() or json.loads((package / "package.json").read_text())["version"] != locked:
        _install()
    return (package / "axe.min.js").read_text()


def _install() -> None:
    npm = shutil.which("npm")
    assert npm, "These tests need npm, and the npm registry once, for axe-core: install npm (on Debian: npm)."
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, _FOLDER / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=_FOLDER, check=False).returncode == 0
    assert done, "axe-core could not be fetched: is the npm registry reachable?"


def severe_findings(page: Any) -> list[str]:
    """Return what axe-core finds on a page that is serious or worse: the rule, the element, and why."""
    page.evaluate(_source())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in _SEVERE
        for node in each["nodes"]
    ]
