import io
import mmap
from typing import Any

import pytest
from PIL import Image

from collections_app.engine.rendering.file_types import sniff
from collections_app.engine.rendering.image_renderer import render_pages
from collections_app.engine.rendering.protocol import Job, RenderLimits
from tests.collections_app.engine.rendering.samples import picture

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def frames_of(content: bytes, *, megapixels: int = 25) -> list[Image.Image]:
    format_ = sniff(io.BytesIO(content))
    memory = mmap.mmap(-1, len(content))
    memory.write(content)
    memory.seek(0)
    job = Job(
        renderer=format_.renderer,
        pillow_format=format_.pillow_format,
        multi_page=format_.multi_page,
        dpi=72,
        encoding="png",
        limits=RenderLimits(megapixels=megapixels),
    )
    total, pages = render_pages(memory, job)
    images = [page.image for page in pages]
    assert len(images) == total
    assert {image.mode for image in images} == {"RGB"}
    return images


def only_frame(content: bytes) -> Image.Image:
    [image] = frames_of(content)
    return image


def near(color: object, expected: tuple[int, int, int], *, within: int = 12) -> bool:
    assert isinstance(color, tuple)
    return all(abs(part - other) <= within for part, other in zip(color, expected, strict=True))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP"])
def test_images_keep_their_pixels(form: str) -> None:
    image = only_frame(picture(form))
    assert image.size == (40, 20)
    assert near(image.getpixel((20, 10)), RED)


def test_an_image_above_the_page_limit_is_scaled_down() -> None:
    big = picture("PNG", Image.new("RGB", (4000, 1000), "red"))
    [image] = frames_of(big, megapixels=1)
    assert image.size == (2000, 500)
    assert near(image.getpixel((5, 5)), RED)


def two_colours() -> Image.Image:
    """Return an image that is red on the left and white on the right."""
    image = Image.new("RGB", (60, 20), "white")
    image.paste("red", (0, 0, 30, 20))
    return image


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize(("orientation", "red_at"), [(3, (50, 10)), (6, (10, 10)), (8, (10, 50))])
def test_exif_orientation_is_applied(form: str, orientation: int, red_at: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = only_frame(picture(form, two_colours(), exif=exif))
    assert image.size == ((60, 20) if orientation == 3 else (20, 60))
    assert near(image.getpixel(red_at), RED, within=40)


def test_damaged_exif_data_is_ignored() -> None:
    assert only_frame(picture("PNG", two_colours(), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).size == (60, 20)


@pytest.mark.parametrize("form", ["TIFF", "GIF"])
def test_every_frame_is_a_page(form: str) -> None:
    frames = [Image.new("RGB", (8 + number, 8), (80 * number, 0, 0)) for number in range(3)]
    if form == "GIF":
        frames = [frame.resize((8, 8)) for frame in frames]
    images = frames_of(picture(form, *frames))
    assert len(images) == 3
    assert all(near(image.getpixel((2, 2)), (80 * number, 0, 0)) for number, image in enumerate(images))


def test_an_animation_in_a_single_page_format_is_one_page() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    assert near(only_frame(picture("PNG", *frames)).getpixel((2, 2)), RED)


def _with_mode(mode: str, value: Any) -> Image.Image:
    return Image.new(mode, (4, 4), value)


def _ramp(mode: str, *values: float) -> Image.Image:
    image = Image.new(mode, (2, 1))
    image.putdata(values)
    return image


@pytest.mark.parametrize(
    ("content", "color"),
    [
        (picture("PNG", _with_mode("RGBA", (0, 0, 0, 0))), WHITE),
        (picture("PNG", _with_mode("RGBA", (0, 0, 0, 128))), (127, 127, 127)),
        (picture("PNG", _with_mode("LA", (0, 0))), WHITE),
        (picture("PNG", _with_mode("L", 7), transparency=7), WHITE),
        (picture("PNG", _with_mode("RGB", (1, 2, 3)), transparency=(1, 2, 3)), WHITE),
        (picture("GIF", _with_mode("P", 0), transparency=0), WHITE),
        (picture("PNG", _with_mode("RGB", RED).convert("P")), RED),
        (picture("PNG", _with_mode("1", 0)), BLACK),
        (picture("PNG", _with_mode("I;16", 0x8000)), (128, 128, 128)),
        (picture("PNG", _with_mode("I;16", 0xFFFF)), WHITE),
        (picture("TIFF", _with_mode("I;16", 0x4000)), (64, 64, 64)),
        (picture("TIFF", _ramp("I", 0, 100_000)), BLACK),
        (picture("TIFF", _ramp("F", 1.0, -1.0)), WHITE),
        (picture("TIFF", _with_mode("F", 0.5)), BLACK),
        (picture("JPEG", _with_mode("CMYK", (0, 255, 255, 0))), RED),
        (picture("TIFF", _with_mode("CMYK", (0, 255, 255, 0))), RED),
        (picture("TIFF", _with_mode("LAB", (255, 128, 128))), WHITE),
    ],
)
def test_every_pixel_mode_is_converted_to_colour_on_white(content: bytes, color: tuple[int, int, int]) -> None:
    assert near(only_frame(content).getpixel((0, 0)), color)
