import io

import pytest
from PIL.PngImagePlugin import PngImageFile

from collections_app.engine.rendering.errors import FileDamaged
from collections_app.engine.rendering.formats.pillow import image_format, size_by
from tests.collections_app.engine.rendering.samples import huge_png, picture

READ_SIZE = size_by(PngImageFile)


def test_defaults_follow_from_the_name_that_pillow_uses() -> None:
    format_ = image_format("PNG", read_size=READ_SIZE)
    assert (format_.name, format_.extension, format_.content_type) == ("PNG", "png", "image/png")
    assert format_.pages.startswith("one page")
    assert image_format("GIF", read_size=READ_SIZE, multi_page=True).pages.startswith("each frame is a page")


def test_the_size_is_read_from_the_header_and_the_file_stays_open() -> None:
    file = io.BytesIO(picture("PNG", size=(40, 20)))
    file.seek(5)
    assert READ_SIZE(file) == (40, 20)
    assert not file.closed


def test_sizes_are_read_without_a_limit_of_pillow() -> None:
    assert READ_SIZE(io.BytesIO(huge_png(14_000))) == (14_000, 14_000)


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"\x89PNG\r\n\x1a\n" + bytes(100), picture("GIF")])
def test_anything_a_plugin_cannot_read_is_damaged(content: bytes) -> None:
    with pytest.raises(FileDamaged):
        READ_SIZE(io.BytesIO(content))
