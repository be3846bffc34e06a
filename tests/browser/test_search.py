"""Searching by words, images and conditions; the search is in the URL."""

import base64
import json
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.browser.chromium import Tab

_QUESTION = "Fresnel lens at Cordouan"
# Hands the page a file as the desktop does: in an event with the file in it.
_GIVE_FILE = """([kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], "a picture.png", { type: "image/png" }));
  document.dispatchEvent(kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: files, bubbles: true })
    : new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
}"""


def picture(text: str) -> str:
    """Return an image of a line of text, in base64."""
    image = Image.new("RGB", (900, 120), "white")
    ImageDraw.Draw(image).text((30, 30), text, fill="black", font_size=40)
    out = BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def ask(tab: Tab, question: str) -> None:
    """Type a question, and wait for its hits."""
    tab.open("/search/")
    tab.page.get_by_role("searchbox").fill(question)
    tab.page.get_by_role("searchbox").press("Enter")
    tab.page.locator(".hit").first.wait_for()


def documents(page: Any) -> list[str]:
    """Return the documents of the hits, in order."""
    names: list[str] = page.locator(".hit h2").all_inner_texts()
    return names


def test_words_find_pages_with_outlined_regions_and_the_url_keeps_the_search(tab: Tab) -> None:
    page = tab.page
    ask(tab, _QUESTION)
    found = documents(page)
    assert found[0] == "lighthouses.pdf"
    assert "Page 2" in page.locator(".hit").first.inner_text()
    assert "Cordouan" in page.locator(".hit mark").all_inner_texts()
    image, region = page.locator(".hit img").first, page.locator(".hit rect").first
    assert image.evaluate("(each) => each.complete || each.decode().then(() => true)")
    assert image.evaluate("(each) => each.naturalWidth") > 0
    outer, inner = image.bounding_box(), region.bounding_box()
    assert outer["x"] - 1 <= inner["x"] < inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
    assert 0 < inner["height"] < outer["height"]

    searched = page.url
    assert "q=Fresnel" in searched
    page.reload()
    assert documents(page) == found
    assert page.get_by_role("searchbox").input_value() == _QUESTION
    page.get_by_role("searchbox").fill("flour water salt")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**q=flour**")
    page.locator(".hit h2", has_text="bread.pdf").wait_for()
    page.go_back()
    page.wait_for_url(searched)
    page.wait_for_function("document.querySelector('.hit h2')?.innerText === 'lighthouses.pdf'")
    assert page.get_by_role("searchbox").input_value() == _QUESTION
    page.go_forward()
    page.wait_for_function("document.querySelector('.hit h2')?.innerText === 'bread.pdf'")
    assert page.get_by_role("searchbox").input_value() == "flour water salt"


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_image_that_is_dropped_or_pasted_is_searched_by(tab: Tab, kind: str) -> None:
    page = tab.page
    tab.open("/search/")
    page.evaluate(_GIVE_FILE, [kind, picture("flour water salt")])
    page.locator(".hit").first.wait_for()
    assert documents(page)[0] == "bread.pdf"
    assert "image=" in page.url
    page.reload()
    page.locator(".hit").first.wait_for()
    page.locator(".hit a").first.click()
    page.locator("#heat-controls").wait_for()
    page.get_by_role("link", name="Back").click()
    page.locator(".hit").first.wait_for()
    page.get_by_role("button", name="Leave the image out").click()
    page.locator(".hit").first.wait_for(state="detached")
    assert "image=" not in page.url


def test_what_is_dropped_and_no_image_is_refused_with_a_sentence(tab: Tab) -> None:
    tab.open("/search/")
    tab.page.evaluate(_GIVE_FILE, ["drop", base64.b64encode(b"no image").decode()])
    tab.page.get_by_text("The browser cannot read this image.").wait_for()


def test_filter_builder_writes_the_filter_language(tab: Tab) -> None:
    page = tab.page
    tab.open("/search/")
    page.locator("summary", has_text="Options").click()
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Key of the metadata").fill("year")
    page.get_by_label("Comparison").select_option("lt")
    page.get_by_label("Value", exact=True).fill("2000")
    assert json.loads(page.locator("#filter").input_value()) == {"key": "year", "op": "lt", "value": 2000}
    page.get_by_role("searchbox").fill("lighthouse or bread")
    page.get_by_role("searchbox").press("Enter")
    page.locator(".hit").first.wait_for()
    assert set(documents(page)) == {"bread.pdf"}
    page.reload()
    assert page.get_by_label("Value", exact=True).input_value() == "2000"


@pytest.mark.parametrize("language", ["curl", "Python", "TypeScript"])
def test_copied_code_searches(tab: Tab, key: str, tmp_path: Path, language: str) -> None:
    page = tab.page
    ask(tab, "how high is Smeaton's tower?")
    found = documents(page)
    page.locator("summary", has_text="Copy as").click()
    page.get_by_role("button", name=language).click()
    page.get_by_text("Copied.").wait_for()
    code = page.evaluate("navigator.clipboard.readText()")
    if language == "curl":
        command = [_program("bash"), "-euc", code]
    elif language == "Python":
        command = [sys.executable, "-c", code]
    else:  # it has no types, so it is JavaScript as well
        shown = f"{code}console.log(JSON.stringify({{ results }}));"
        command = [_program("node"), "--input-type=module", "--eval", shown]
    environment = {"KEY": key, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    if language == "Python":
        assert [line.split()[0] for line in run.stdout.splitlines()] == found
    else:
        assert [hit["document_name"] for hit in json.loads(run.stdout)["results"]] == found


def _program(name: str) -> str:
    path = shutil.which(name)
    assert path, f"the code is pasted into a shell that has {name}"
    return path


def test_keyboard_alone_searches_opens_and_returns(tab: Tab) -> None:
    page = tab.page
    tab.open("/account/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.get_by_role("link", name="Search").press("Enter")
    page.wait_for_url("**/search/")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type(_QUESTION)
    page.keyboard.press("Enter")
    page.locator(".hit").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement === document.querySelector('[data-hit]')")
    page.keyboard.press("Enter")
    page.locator("#heat-controls").wait_for()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**page=3**")
    page.keyboard.press("b")
    assert page.locator("#crop").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert page.locator("#crop").get_attribute("aria-pressed") == "false"
    page.keyboard.press("Escape")
    page.wait_for_url("**/search/?q=Fresnel**")
    page.locator(".hit").first.wait_for()
