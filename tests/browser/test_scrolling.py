"""Long pages: nothing moves while one scrolls, and images are loaded when they are needed."""

from typing import Any
from urllib.parse import urlencode

from tests.browser.chromium import Tab
from tests.browser.conftest import Site
from tests.browser.test_every_page import assert_presentable
from tests.browser.test_search import ask
from tests.collections_app.engine.rendering.samples import pdf

_PAGES = 300
_WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) {
    for (const { node } of each.sources) if (node) window.shifts.push(node.outerHTML?.slice(0, 120) ?? node.data);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


def test_pages_of_a_long_document_are_loaded_while_one_scrolls_and_nothing_moves(
    tab: Tab, site: Site, key: str
) -> None:
    site.upload(key, pdf(*["the same on every page"] * _PAGES), "long.pdf", collection_name="long")
    page, thumbnails = tab.page, list[str]()
    page.on("request", lambda request: thumbnails.append(request.url) if "/thumbnail" in request.url else None)
    page.add_init_script(_WATCH_SHIFTS)
    tab.open(f"/document/?{urlencode({'collection': 'long', 'document': 'long.pdf'})}")
    page.wait_for_load_state("networkidle")
    assert 0 < len(thumbnails) < _PAGES / 4
    page.mouse.move(640, 400)
    while not page.get_by_role("link", name=f"Page {_PAGES}", exact=True).is_visible():
        page.mouse.wheel(0, 600)
        page.evaluate("new Promise(requestAnimationFrame)")
    page.wait_for_load_state("networkidle")
    assert page.locator(".page-grid img").count() == _PAGES
    assert page.evaluate("window.shifts") == []
    page.get_by_label("From page").fill("250")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=f"Page {_PAGES}", exact=True).wait_for()
    assert page.locator(".page-grid img").count() == _PAGES - 249
    assert_presentable(tab, "document-long")
    page.get_by_role("link", name="Earlier pages").click()
    page.get_by_role("link", name="Page 130", exact=True).wait_for()


def test_hits_have_their_place_before_their_images_are_there(tab: Tab) -> None:
    page, waiting = tab.page, list[Any]()
    page.route("**/thumbnail", lambda route: waiting.append(route))  # noqa: PLW0108 - playwright marks what it calls
    ask(tab, "lighthouse")
    images = page.locator(".hit img")
    images.first.wait_for()
    before = images.first.bounding_box()
    assert before["height"] > 200
    for each in list(waiting):
        each.continue_()
    page.wait_for_function("document.querySelector('.hit img').naturalWidth > 0")
    after = images.first.bounding_box()
    assert all(abs(after[side] - before[side]) < 1 for side in before), (before, after)
