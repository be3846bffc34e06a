"""Take the pictures of the console in README.md and docs/console.md, for `make screenshots`.

The documents are the sample and pages of the documentation, so every hit, region and measure is a real one.
"""

import json
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks.harness.stack import running
from paliapi.env import ROOT
from tests.browser.chromium import Tab, launched, opened
from tests.browser.conftest import LIGHTHOUSES, Site, state_after_signing_in
from tests.browser.test_search import ask

_FIGURES = ROOT / "docs" / "figures"
_COLLECTION = "handbook"
_PAGES = ("changing-the-model", "embeddings", "following", "formats", "operations", "webhooks")
_DENSITY = 1.5
_QUALITY = 70
_LARGEST = 120_000
_QUESTION = "How far is a light seen that stands 40 metres high?"
_JUDGED = {
    "Which order of lens is used at harbour walls?": "lighthouses.pdf",
    "Who built the towers on the Eddystone rock?": "lighthouses.pdf",
    "How do I check that a call really comes from PaliAPI?": "webhooks.md",
    "When is a failed delivery tried again?": "webhooks.md",
    "Can I upload slides and spreadsheets?": "formats.md",
    "Why are letters drawn as boxes?": "formats.md",
    "How do I move to another embedding model?": "changing-the-model.md",
    "Where can I rent a GPU?": "embeddings.md",
    "How do I know that my file is ready to be searched?": "following.md",
    "How do I restore a backup?": "operations.md",
}


def main() -> None:
    """Start a PaliAPI of its own, fill it, and photograph the console."""
    with (
        tempfile.TemporaryDirectory(prefix="paliapi-screenshots-", ignore_cleanup_errors=True) as folder,
        running(Path(folder), COLPALI_BACKEND="embedded") as stack,
        sync_playwright() as playwright,
        launched(playwright) as chromium,
    ):
        site = Site(stack, stack.url.replace("127.0.0.1", "localhost"))
        _fill(site)
        state = state_after_signing_in(chromium, site, stack.key)

        def photograph(name: str, show: Callable[[Tab], None], theme: str = "light") -> None:
            look: Any = {"color_scheme": theme, "device_scale_factor": _DENSITY, "storage_state": state}
            with opened(chromium, site.url, **look) as tab:
                show(tab)
                tab.page.wait_for_load_state("networkidle")
                _save(tab.page.screenshot(), _FIGURES / f"{name}.webp")

        photograph("console-search", _search)
        photograph("console-search-dark", _search, "dark")
        photograph("console-page", _page)
        photograph("console-documents", _documents)
        photograph("console-evaluation", _evaluation)


def _fill(site: Site) -> None:
    for path in (LIGHTHOUSES, *(ROOT / "docs" / f"{page}.md" for page in _PAGES)):
        site.upload(site.stack.key, path.read_bytes(), path.name, collection_name=_COLLECTION)


def _search(tab: Tab) -> None:
    ask(tab, _QUESTION)
    tab.page.reload()  # the first search after a start takes longer
    tab.page.locator(".hit rect").first.wait_for()


def _page(tab: Tab) -> None:
    _search(tab)
    tab.page.locator(".hit a.sheet").first.click()
    tab.page.locator("#heat-controls").wait_for()
    tab.page.locator("#boxes rect").first.wait_for()


def _documents(tab: Tab) -> None:
    tab.open("/collections/")
    tab.page.get_by_role("link", name=_COLLECTION).click()
    tab.page.get_by_role("link", name=LIGHTHOUSES.name).wait_for()


def _evaluation(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 1280, "height": 930})  # with the whole chart
    tab.open("/evaluations/")
    questions = [{"_id": str(number), "text": text} for number, text in enumerate(_JUDGED)]
    tab.page.get_by_label("Name", exact=True).fill("Questions about the handbook")
    tab.page.get_by_label("Collection").select_option(_COLLECTION)
    tab.page.locator("#queries").fill("\n".join(map(json.dumps, questions)))
    tab.page.locator("#qrels").fill("\n".join(f"{n}\t{answer}\t1" for n, answer in enumerate(_JUDGED.values())))
    tab.page.get_by_role("button", name="Create").click()
    tab.page.get_by_role("button", name="Run").click()
    tab.page.get_by_role("heading", name="Runs").wait_for()
    tab.page.locator("#runs:not([hx-trigger])").wait_for()
    tab.page.reload()
    tab.page.get_by_role("heading", name="nDCG@10").wait_for()


def _save(screenshot: bytes, path: Path) -> None:
    with Image.open(BytesIO(screenshot)) as image:
        image.convert("RGB").save(path, quality=_QUALITY, method=6)
    if path.stat().st_size >= _LARGEST:
        raise SystemExit(f"{path} is too large for the documentation: {path.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
