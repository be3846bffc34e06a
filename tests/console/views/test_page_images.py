"""Images of pages, for the browser that has signed in."""

from tests.cast import Someone
from tests.collections_app.documents import PNG, THUMBNAIL, body_of
from tests.console.browser import Browser


def test_image_and_thumbnail_are_kept_by_the_browser(browser: Browser, library: list[int]) -> None:
    image = browser.get(f"/page/{library[0]}/image")
    assert body_of(image) == PNG
    assert image["Cache-Control"] == "private, max-age=86400, immutable"
    thumbnail = browser.get(f"/page/{library[0]}/thumbnail")
    assert body_of(thumbnail) == THUMBNAIL
    for path, answer in (("image", image), ("thumbnail", thumbnail)):
        again = browser.get(f"/page/{library[0]}/{path}", headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304


def test_other_kinds_and_absent_pages_are_not_found(browser: Browser, library: list[int]) -> None:
    assert browser.get(f"/page/{library[0]}/original").status_code == 404
    assert browser.get(f"/page/{'9' * 30}/image").status_code == 404


def test_images_of_others_are_not_found(charlie: Someone, library: list[int]) -> None:
    assert Browser(charlie).get(f"/page/{library[0]}/image").status_code == 404
    assert Browser().get(f"/page/{library[0]}/image").status_code == 401
