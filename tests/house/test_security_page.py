"""References in `docs/security.md` are valid."""

import re
from functools import cache
from pathlib import Path

import pytest

from paliapi.env import ROOT
from tests.house.test_prose import PAGES

PAGE = ROOT / "docs" / "security.md"
NAMED = re.findall(r"\[`(\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", PAGE.read_text())
ADVICE = re.compile(
    r"--insecure|curl[^\n]* -k\b|verify_ssl|verify\s*=\s*False|CERT_NONE|PYTHONHTTPSVERIFY", re.IGNORECASE
)


@cache
def _tests_in(path: str) -> set[str]:
    return set(re.findall(r"^def test_(\w+)", (ROOT / path).read_text(), re.MULTILINE))


def test_every_named_test_exists() -> None:
    assert len(NAMED) > 80
    assert [(name, path) for name, path in NAMED if name not in _tests_in(path)] == []


def test_every_risk_and_fault_names_a_test() -> None:
    risks, faults = PAGE.read_text().partition("## OWASP")[2].split("## Faults seen")
    payload = re.split(r"\*\*API(\d+) ", risks)
    assert [int(number) for number in payload[1::2]] == list(range(1, 11))
    rows = re.findall(r"^\| (?!Fault|-)(.+) \|$", faults, re.MULTILINE)
    assert len(rows) > 30
    assert [said for said in [*payload[2::2], *rows] if "](../tests/" not in said] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_advises_disabling_certificate_checks(page: Path) -> None:
    assert ADVICE.findall(page.read_text()) == []
