"""Images out of bytes."""

import io

import pytest
from PIL import ExifTags, Image

from embeddings.errors import InvalidImage
from embeddings.server import images

MOST = 1_000_000


def jpeg(image: Image.Image, *, turned: int = 1) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turned
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_jpeg_is_decoded_when_somebody_looks_at_it() -> None:
    whole = jpeg(Image.radial_gradient("L").convert("RGB"))
    assert images.decode(whole, max_pixels=MOST).getpixel((128, 128)) == (0, 0, 0)
    half = images.decode(whole[: len(whole) // 2], max_pixels=MOST)
    assert half.size == (256, 256)
    with pytest.raises(InvalidImage):
        half.getpixel((0, 0))


def test_a_jpeg_that_lies_on_its_side_or_has_no_colours_comes_upright_and_in_colours() -> None:
    turned = images.decode(jpeg(Image.new("RGB", (20, 10), "red"), turned=6), max_pixels=MOST)
    grey = images.decode(jpeg(Image.new("L", (20, 10), 7)), max_pixels=MOST)
    assert (turned.size, turned.mode) == ((10, 20), "RGB")
    assert (grey.mode, grey.getpixel((0, 0))) == ("RGB", (7, 7, 7))


def test_base64_may_come_in_lines() -> None:
    assert images.from_base64("data:image/png;base64,aGVs\r\n bG8=\n") == b"hello"
    for nothing in ("aGVsbG8", "aGVs*bG8=", "", "data:image/png;base64"):
        with pytest.raises(InvalidImage):
            images.from_base64(nothing)
