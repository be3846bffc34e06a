"""A Chromium for tests: where it is, and a tab whose complaints fail the test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from paliapi.env import ROOT

SCREENSHOTS = ROOT / ".tools" / "screenshots"
THEMES = ("light", "dark")
_WAIT_MS = 15_000
# Reported like an error of the page, so that the watch below sees it.
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective}`));
"""


def program() -> str:
    """Return the path of Chromium, or fail with what to do."""
    named = os.environ.get("CHROMIUM", "")  # noqa: TID251 - of the machine, not of the product
    found = shutil.which(named or "chromium") or (None if named else shutil.which("chromium-browser"))
    if found is None:
        pytest.exit(
            "The tests in a browser need Chromium: install it (on Debian: apt-get install chromium), "
            "or name its program in the variable CHROMIUM.",
            returncode=2,
        )
    return found


@contextmanager
def launched(playwright: Any) -> Iterator[Any]:
    """Run a Chromium; as root it refuses to run with its own sandbox."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=program(), args=arguments)
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Tab:
    """A tab, and what its console complained about."""

    page: Any
    url: str
    complaints: list[str] = field(default_factory=list)
    # A page that gets no stream polls; pages that were left may still hold the slots for a moment.
    expected: list[str] = field(default_factory=lambda: ["/activity/events/"])

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def expect(self, complaint: str) -> None:
        """Expect complaints that contain this text, such as the status of a page that should not exist."""
        self.expected.append(complaint)

    def unexpected(self) -> list[str]:
        return [each for each in self.complaints if not any(text in each for text in self.expected)]

    def overflow(self) -> list[str]:
        """Return the elements that are wider than the screen, if the page can be scrolled sideways."""
        found: list[str] = self.page.evaluate(
            """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
              [...document.querySelectorAll("body *")]
                .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
                .map((each) => each.outerHTML.slice(0, 120))"""
        )
        return found

    def photograph(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@contextmanager
def opened(browser: Any, url: str, **options: Any) -> Iterator[Tab]:
    """Open a tab with cookies of its own, and fail if its console complains."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
    context.set_default_timeout(_WAIT_MS)
    context.add_init_script(_REPORT_VIOLATIONS)
    page = context.new_page()
    tab = Tab(page, url)
    page.on(
        "console",
        lambda line: tab.complaints.append(f"{line.text} {line.location['url']}") if line.type == "error" else None,
    )
    page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    try:
        yield tab
        if complaints := tab.unexpected():
            pytest.fail("The console of the browser says:\n" + "\n".join(complaints))
    finally:
        context.close()
