"""`docs/architecture.md` and its diagram match the repository."""

import re
import runpy
from pathlib import Path

from paliapi.env import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
FLOWS = "\n".join(re.findall(r"^```\n(POST.*?|a wake-up.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
# In the flows, names are relative to the product, or start with a top-level package.
MODULE = re.compile(r"\b((?:accounts|paliapi|embeddings|ingest|search|storage|webhooks|engine)(?:\.[a-z_]+)+)")


def is_module(name: str) -> bool:
    path = name.replace(".", "/")
    return any((base / f"{path}.py").exists() for base in (ROOT, ROOT / "collections_app"))


def test_every_module_named_in_the_flows_exists() -> None:
    names = MODULE.findall(FLOWS)
    assert len(names) > 25
    assert [name for name in names if not is_module(name)] == []


def test_every_path_in_the_table_exists() -> None:
    table = PAGE.partition("## To change")[2].partition("\n## ")[0]
    missing = []
    for row in re.findall(r"^\| [^|]+ \| (`.*`) \|$", table, re.MULTILINE):
        folder = Path()
        for path in map(Path, re.findall(r"`([^`]+)`", row)):
            folder = path.parent if len(path.parts) > 1 else folder
            if not (ROOT / folder / path.name).exists():
                missing.append(str(folder / path.name))
    assert missing == []
    assert table.count("\n| ") > 15


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "docs"}
    packages |= {path.parent.name for path in (ROOT / "collections_app").glob("*/__init__.py")}
    tree = PAGE.partition("```\n")[2].partition("```")[0]
    assert {name for name in packages - {"migrations", "management"} if f"{name}/" not in tree} == set()


def test_the_diagram_is_drawn_from_its_source() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "figures" / "make_architecture.py"))
    assert script["PICTURE"].read_text() == script["svg"](script["SOURCE"].read_text())
