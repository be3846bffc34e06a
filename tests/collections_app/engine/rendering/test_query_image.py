"""Images that are queries, decoded in the confined process."""

import io
import logging

import pytest
from PIL import Image

from collections_app.engine.rendering import query_image
from collections_app.engine.rendering.errors import (
    FileDamaged,
    FileEmpty,
    PageTooLarge,
    RenderTookTooLong,
    UnsupportedType,
)
from collections_app.engine.rendering.protocol import RenderLimits
from tests.collections_app.engine.rendering import samples

LIMITS = RenderLimits(page_s=30, total_s=30)


def image_file(kind: str, *, size: tuple[int, int] = (40, 20), frames: int = 1) -> bytes:
    out = io.BytesIO()
    colours = ("red", "lime", "blue")
    first, *rest = (Image.new("RGB", size, colours[number]) for number in range(frames))
    first.save(out, kind, **({"save_all": True, "append_images": rest} if rest else {}))
    return out.getvalue()


def opened(image: bytes) -> Image.Image:
    return Image.open(io.BytesIO(image))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "TIFF", "GIF"])
def test_every_format_becomes_a_jpeg(kind: str) -> None:
    page = opened(query_image.reencode(image_file(kind), limits=LIMITS))
    assert (page.format, page.size, page.mode) == ("JPEG", (40, 20), "RGB")
    red, green, blue = page.getpixel((20, 10))  # type: ignore[misc]
    assert (red > 230, green < 30, blue < 30) == (True, True, True)


@pytest.mark.parametrize("kind", ["TIFF", "GIF"])
def test_first_of_several_frames_is_the_query(kind: str) -> None:
    red, green, _ = opened(query_image.reencode(image_file(kind, frames=3), limits=LIMITS)).getpixel((20, 10))  # type: ignore[misc]
    assert (red > 230, green < 30) == (True, True)


def test_what_is_hidden_in_the_file_does_not_get_through() -> None:
    comment = b"SECRET-COMMENT"
    out = io.BytesIO()
    Image.new("RGB", (20, 10)).save(out, "JPEG", comment=comment, exif=b"Exif\0\0" + comment)
    file = out.getvalue() + b"TRAILING-BYTES"
    assert comment in file
    page = query_image.reencode(file, limits=LIMITS)
    assert comment not in page
    assert b"TRAILING-BYTES" not in page


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (b"", FileEmpty),
        (b"\0\0\0", UnsupportedType),
        (b"just text", UnsupportedType),
        (samples.pdf("text"), UnsupportedType),
        (image_file("PNG")[:40], FileDamaged),
        (image_file("JPEG", size=(400, 400))[:400], FileDamaged),
    ],
)
def test_other_files_are_refused_like_documents(file: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        query_image.reencode(file, limits=LIMITS)


def test_image_beyond_the_limits_is_refused_or_scaled_down() -> None:
    large = image_file("PNG", size=(2000, 1000))
    with pytest.raises(PageTooLarge):
        query_image.reencode(large, limits=RenderLimits(source_megapixels=1))
    assert opened(query_image.reencode(large, limits=RenderLimits(megapixels=1))).size == (1414, 707)


def test_image_that_takes_too_long_ends_its_process(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    with pytest.raises(RenderTookTooLong):
        query_image.reencode(image_file("PNG"), limits=RenderLimits(page_s=0, total_s=0))
    assert query_image.reencode(image_file("PNG"), limits=LIMITS)
