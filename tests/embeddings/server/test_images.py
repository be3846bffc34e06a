"""Decoding images."""

import io

import pytest
from PIL import ExifTags, Image

from embeddings.errors import InvalidImage
from embeddings.server import images

MAX_PIXELS = 1_000_000


def jpeg(image: Image.Image, *, orientation: int = 1) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_jpeg_is_decoded_when_its_pixels_are_accessed() -> None:
    whole = jpeg(Image.radial_gradient("L").convert("RGB"))
    assert images.decode(whole, max_pixels=MAX_PIXELS).getpixel((128, 128)) == (0, 0, 0)
    truncated = images.decode(whole[: len(whole) // 2], max_pixels=MAX_PIXELS)
    assert truncated.size == (256, 256)
    with pytest.raises(InvalidImage):
        truncated.getpixel((0, 0))


def test_verify_detects_a_broken_jpeg() -> None:
    whole = jpeg(Image.radial_gradient("L").convert("RGB"))
    images.verify(images.decode(whole, max_pixels=MAX_PIXELS))
    with pytest.raises(InvalidImage):
        images.verify(images.decode(whole[: len(whole) // 2], max_pixels=MAX_PIXELS))


def test_rotated_and_grey_jpegs_become_upright_and_rgb() -> None:
    rotated = images.decode(jpeg(Image.new("RGB", (20, 10), "red"), orientation=6), max_pixels=MAX_PIXELS)
    grey = images.decode(jpeg(Image.new("L", (20, 10), 7)), max_pixels=MAX_PIXELS)
    assert (rotated.size, rotated.mode) == ((10, 20), "RGB")
    assert (grey.mode, grey.getpixel((0, 0))) == ("RGB", (7, 7, 7))


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_only_png_and_jpeg_are_decoded(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (20, 10)).save(out, kind)
    with pytest.raises(InvalidImage, match="PNG or JPEG"):
        images.decode(out.getvalue(), max_pixels=MAX_PIXELS)


def test_base64_in_lines_is_accepted_and_malformed_base64_is_refused() -> None:
    assert images.from_base64("data:image/png;base64,aGVs\r\n bG8=\n") == b"hello"
    for malformed in ("aGVsbG8", "aGVs*bG8=", "", "data:image/png;base64"):
        with pytest.raises(InvalidImage):
            images.from_base64(malformed)
