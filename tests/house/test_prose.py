"""Documentation pages are short and have no broken links."""

import re
from pathlib import Path

import pytest

from paliapi.env import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "embeddings" / "README.md"]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
TARGET = re.compile(r"\bmake ([a-z]+)\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_has_a_target(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_main_pages_are_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150
    assert len((ROOT / "docs" / "architecture.md").read_text().splitlines()) < 120


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text()))
    assert listed == {page.name for page in folder.glob("0*.md")}


def test_readme_names_only_existing_make_targets() -> None:
    created = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall((ROOT / "README.md").read_text())) - {"and"} <= created


def test_readme_links_to_every_page() -> None:
    linked = {(ROOT / target).resolve() for target in LINK.findall((ROOT / "README.md").read_text())}
    pages = {page for page in PAGES if page.parent != ROOT / "docs" / "decisions" and page.parent != ROOT}
    assert pages - linked == set()
