"""Page images of a file that is not stored."""

import io
from dataclasses import replace

import pytest
from PIL import Image
from pytest_django import Settings

from collections_app.engine.rendering.errors import PageTooLarge
from collections_app.errors import AnswerTooLarge
from collections_app.ingest import preview
from tests.collections_app.engine.rendering.samples import pdf, picture, with_giant_page


def test_every_page_is_a_png_with_its_number() -> None:
    pages = preview.to_images(io.BytesIO(pdf("one", "two")))
    assert [page.number for page in pages] == [1, 2]
    for page in pages:
        image = Image.open(io.BytesIO(page.image))
        assert (image.format, image.size) == ("PNG", (page.width, page.height))


def test_pages_that_exceed_one_response_are_refused(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_expanded_mb=1)
    noise = Image.effect_noise((1500, 1500), 100)
    with pytest.raises(AnswerTooLarge):
        preview.to_images(io.BytesIO(picture("TIFF", noise, noise)))


def test_page_that_cannot_be_rendered_raises_its_own_error() -> None:
    with pytest.raises(PageTooLarge):
        preview.to_images(io.BytesIO(with_giant_page(pdf("one", "two"), page=2)))
