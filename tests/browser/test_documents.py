"""Uploading a folder, following it, and changing documents, as a person does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Tab, opened
from tests.browser.conftest import LIGHTHOUSES, Site, state_after_signing_in
from tests.browser.test_every_page import assert_presentable
from tests.collections_app.engine.rendering.samples import pdf

_WAIT_MS = 120_000


@pytest.fixture
def new_tab(chromium: Any, site: Site, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab of an account without documents."""
    key = site.new_account(f"{request.node.name.replace('_', '-')[:50]}@example.com")
    with opened(chromium, site.url, storage_state=state_after_signing_in(chromium, site, key)) as tab:
        yield tab


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of fifty files: one is refused when it is sent, and one fails when it is processed."""
    folder = tmp_path / "port & harbour"
    (folder / "logs").mkdir(parents=True)
    for number in range(47):
        (folder / "logs" / f"day {number:02}.txt").write_text(f"wind force {number}")
    (folder / "lighthouses.pdf").write_bytes(LIGHTHOUSES.read_bytes())
    (folder / "locked.pdf").write_bytes(pdf("secret", encrypt=True))
    (folder / "program.exe").write_bytes(b"MZ\x90\x00" + bytes(range(256)) * 4)
    (folder / ".DS_Store").write_bytes(b"not sent")
    return folder


def test_folder_is_sent_followed_and_what_failed_is_retried(new_tab: Tab, folder: Path) -> None:
    tab, page = new_tab, new_tab.page
    tab.expect("415")
    tab.expect("422")
    tab.open("/collections/")
    assert_presentable(tab, "collections-empty")
    page.get_by_label("Name of the new collection").fill("harbour")
    page.get_by_role("button", name="Create").click()
    page.get_by_text("There are no documents here yet.").wait_for()
    assert_presentable(tab, "collection-empty")

    page.locator("#folder").set_input_files(folder)
    page.get_by_text("49 of 50 files are stored").wait_for(timeout=_WAIT_MS)
    assert page.locator("#upload-list li").count() == 1
    assert "program.exe" in page.locator("#upload-list li").inner_text()
    # Pages are counted in the list, without a reload.
    page.locator("#state-ready", has_text="48").wait_for(timeout=_WAIT_MS)
    page.locator("#state-failed", has_text="1").wait_for()
    assert_presentable(tab, "collection-uploaded")
    page.get_by_role("button", name="Retry what failed").click()
    page.get_by_role("button", name="Retry what failed").wait_for()
    assert page.locator("#upload-list li").count() == 1

    page.locator("#state-failed").click()
    page.get_by_role("link", name="port & harbour/locked.pdf").wait_for()
    assert_presentable(tab, "collection-failed")
    page.get_by_role("link", name="port & harbour/locked.pdf").click()
    page.get_by_role("button", name="Retry").click()
    page.locator(".badge.failed").wait_for(timeout=_WAIT_MS)
    assert_presentable(tab, "document-failed")
    tab.open("/collections/")
    assert_presentable(tab, "collections")


def test_document_is_moved_replaced_and_deleted(new_tab: Tab) -> None:
    tab, page = new_tab, new_tab.page
    tab.open("/upload/?collection=attic")
    assert_presentable(tab, "upload")
    page.locator("#files").set_input_files(LIGHTHOUSES)
    page.get_by_text("1 of 1 files are stored").wait_for(timeout=_WAIT_MS)
    tab.open("/collections/")
    page.get_by_label("Name of the new collection").fill("library")
    page.get_by_role("button", name="Create").click()
    page.get_by_text("There are no documents here yet.").wait_for()
    tab.open("/document/?collection=attic&document=lighthouses.pdf")
    page.locator("#state .badge.ready").wait_for(timeout=_WAIT_MS)
    page.locator("summary", has_text="move").click()
    assert_presentable(tab, "document")

    tab.expect("422")
    page.locator("#move-to").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("create it under Collections first").wait_for()
    assert page.locator("#move-to").input_value() == "nowhere"
    page.locator("#move-to").fill("library")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/document/?collection=library&document=lighthouses.pdf")
    assert page.locator("#pages img").count() == 3
    page.locator("summary", has_text="move").click()
    page.locator("#replacement").set_input_files(
        {"name": "another.pdf", "mimeType": "application/pdf", "buffer": pdf("a lens", "a lamp")}
    )
    page.get_by_text("2 pages", exact=True).first.wait_for(timeout=_WAIT_MS)
    page.locator("summary", has_text="move").click()
    page.get_by_label("To delete the document for good").fill("lighthouses.pdf")
    page.get_by_role("button", name="Delete document").click()
    page.get_by_text("There are no documents here yet.").wait_for()
