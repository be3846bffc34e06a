"""A page, large: its heat maps, and searching by a part of it."""

from urllib.parse import urlencode

import pypdfium2  # type: ignore[import-untyped]

from tests.browser.chromium import Tab
from tests.browser.conftest import LIGHTHOUSES

# The centre of mass of a heat map, and where it is hottest, as shares of the page.
_HOTTEST = """() => {
  const canvas = document.getElementById("heat");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let best = 0;
  for (let cell = 0; cell < data.length / 4; cell += 1) if (data[4 * cell + 3] > data[4 * best + 3]) best = cell;
  const x = best % canvas.width, y = Math.floor(best / canvas.width);
  return [x / canvas.width, y / canvas.height, (x + 1) / canvas.width, (y + 1) / canvas.height];
}"""


def place_of(word: str, *, page_number: int) -> tuple[float, float, float, float]:
    """Return the box of the first occurrence of a word in the file, as shares of the page from its top left."""
    document = pypdfium2.PdfDocument(LIGHTHOUSES)
    try:
        page = document[page_number - 1]
        width, height = page.get_size()
        text = page.get_textpage()
        found = text.search(word, match_whole_word=True).get_next()
        assert found
        start, length = found
        boxes = [text.get_charbox(number) for number in range(start, start + length)]
    finally:
        document.close()
    left, right = min(each[0] for each in boxes), max(each[2] for each in boxes)
    bottom, top = min(each[1] for each in boxes), max(each[3] for each in boxes)
    return left / width, 1 - top / height, right / width, 1 - bottom / height


def open_page(tab: Tab, number: int, document: str = "lighthouses.pdf", **search: str) -> None:
    place = {"collection": "sea" if document == "lighthouses.pdf" else "kitchen", "document": document, "page": number}
    tab.open(f"/page/?{urlencode({**place, **search})}")


def test_heat_of_a_token_covers_its_word(tab: Tab) -> None:
    page = tab.page
    open_page(tab, 2, q="Cordouan")
    page.locator("#heat-controls").wait_for()
    page.locator("#tokens [data-token='0']").click()
    assert page.locator("#tokens [data-token='0']").get_attribute("aria-pressed") == "true"
    page.mouse.move(0, 0)
    left, top, right, bottom = page.evaluate(_HOTTEST)
    word_left, word_top, word_right, word_bottom = place_of("Cordouan", page_number=2)
    assert max(left, word_left) < min(right, word_right)
    assert max(top, word_top) < min(bottom, word_bottom)
    page.get_by_role("button", name="Off").click()
    assert page.locator("#boxes rect").count() == 0
    assert page.evaluate(_HOTTEST)[:2] == [0, 0]


def test_words_of_the_page_lie_over_their_image(tab: Tab) -> None:
    page = tab.page
    open_page(tab, 2)
    paper = page.locator("#paper").bounding_box()
    shown = page.locator("#words span", has_text="Cordouan").first.bounding_box()
    left, top, right, bottom = place_of("Cordouan", page_number=2)
    across, down = shown["x"] + shown["width"] / 2 - paper["x"], shown["y"] + shown["height"] / 2 - paper["y"]
    assert left < across / paper["width"] < right
    assert top < down / paper["height"] < bottom


def test_box_drawn_on_the_page_is_searched_by(tab: Tab) -> None:
    page = tab.page
    open_page(tab, 1, "bread.pdf")
    page.get_by_role("button", name="Draw a box").click()
    paper = page.locator("#paper").bounding_box()
    page.mouse.move(paper["x"] + 0.05 * paper["width"], paper["y"] + 0.02 * paper["height"])
    page.mouse.down()
    page.mouse.move(paper["x"] + 0.5 * paper["width"], paper["y"] + 0.1 * paper["height"], steps=4)
    assert page.locator("#selection").is_visible()
    page.mouse.move(paper["x"] + 0.9 * paper["width"], paper["y"] + 0.3 * paper["height"], steps=4)
    page.mouse.up()
    page.wait_for_url("**/search/?part=**")
    page.locator(".hit").first.wait_for()
    assert page.locator(".chip").inner_text().startswith("like part of bread.pdf, page 1")
    assert page.locator(".hit h2").first.inner_text() == "dough.pdf", "the page itself is left out"


def test_page_can_be_zoomed_and_its_neighbours_opened(tab: Tab) -> None:
    page = tab.page
    open_page(tab, 1)
    fitting = page.locator("#paper").bounding_box()["width"]
    page.get_by_role("button", name="Zoom in").click()
    assert page.locator("#paper").bounding_box()["width"] > fitting
    page.get_by_role("button", name="Fit").click()
    assert abs(page.locator("#paper").bounding_box()["width"] - fitting) < 1
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**page=2**")
    page.get_by_role("link", name="More like this").click()
    page.locator(".hit").first.wait_for()
    assert page.locator(".chip").inner_text().startswith("like lighthouses.pdf, page 2")
