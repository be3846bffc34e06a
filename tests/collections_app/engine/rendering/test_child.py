"""The child process by itself: which frames it writes, and what works behind its walls."""

import io
import os
import tempfile
from contextlib import closing

import pytest
from PIL import ExifTags, Image

from collections_app.engine.rendering.forked import ForkedProcess
from collections_app.engine.rendering.formats.base import IMAGE_RENDERER, PDF_RENDERER, TEXT_RENDERER
from collections_app.engine.rendering.protocol import Encoding, Job, RenderedPage, RenderLimits, parse_page, read_frame
from tests.collections_app.engine.rendering.samples import pdf, picture


def job_for(renderer: str, **fields: object) -> Job:
    return Job(**{"renderer": renderer, "dpi": 72, "encoding": "png", "limits": RenderLimits(), **fields})  # type: ignore[arg-type]


def frames(content: bytes, job: Job) -> list[tuple[dict[str, object], bytes, bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        with closing(ForkedProcess(job, file)) as process:
            output = b"".join(iter(lambda: os.read(process.output, 2**20), b""))
            assert process.exit_status() == 0
    out = io.BytesIO(output)
    return [read_frame(out.read) for _ in iter(lambda: out.tell() < len(output), False)]


def pages(content: bytes, job: Job) -> list[RenderedPage]:
    (total, _, _), *rendered, (end, _, _) = frames(content, job)
    assert end == {"end": True}
    parsed = [parse_page(*frame) for frame in rendered]
    assert {page.total for page in parsed} <= {total["total"]}
    return parsed


def test_the_total_comes_first_then_the_pages_and_the_end() -> None:
    first, second = pages(pdf("one", "two"), job_for(PDF_RENDERER))
    assert (first.number, first.text, second.number, second.text) == (1, "one", 2, "two")


@pytest.mark.parametrize("encoding", ["png", "jpeg", "webp"])
def test_pages_have_the_requested_encoding(encoding: Encoding) -> None:
    (page,) = pages(b"text", job_for(TEXT_RENDERER, encoding=encoding))
    assert page.content_type == f"image/{encoding}"
    assert Image.open(io.BytesIO(page.image)).format == encoding.upper()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1000, 1000), (256, 256)),
        ((100, 2000), (38, 768)),
        ((20, 10), (20, 10)),
        ((4000, 1), (250, 1)),
        ((1190, 1684), (238, 337)),
    ],
)
def test_thumbnails_fit_their_box_and_are_never_enlarged(size: tuple[int, int], expected: tuple[int, int]) -> None:
    job = job_for(IMAGE_RENDERER, pillow_format="PNG", thumbnails=True)
    (page,) = pages(picture("PNG", size=size), job)
    thumbnail = Image.open(io.BytesIO(page.thumbnail))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", expected)


def test_an_error_is_a_frame_with_its_code() -> None:
    ((header, _, _),) = frames(b"%PDF-1.7 and nothing more", job_for(PDF_RENDERER))
    assert header["error"] == "file_damaged"


def test_an_unexpected_exception_is_a_frame_with_its_cause() -> None:
    ((header, _, _),) = frames(b"", job_for(TEXT_RENDERER))
    assert header["error"] == "render_crashed"
    assert "ValueError" in str(header["cause"])


FRAMES = [Image.new("RGB", (9, 9), color) for color in ("red", "blue")]


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif


@pytest.mark.parametrize("encoding", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("name", ["AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"])
def test_everything_is_imported_before_the_walls_stand(name: str, encoding: Encoding) -> None:
    job = job_for(IMAGE_RENDERER, pillow_format=name, encoding=encoding, thumbnails=True, multi_page=True)
    assert len(pages(picture(name), job)) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *[("PNG", picture("PNG", Image.new(mode, (9, 9)))) for mode in ("1", "L", "LA", "P", "I;16", "RGBA")],
        *[("TIFF", picture("TIFF", Image.new(mode, (9, 9)))) for mode in ("CMYK", "LAB", "F", "I", "YCbCr")],
        ("TIFF", picture("TIFF", compression="tiff_lzw")),
        ("JPEG", picture("MPO", *FRAMES)),
        ("JPEG", picture("JPEG", Image.new("CMYK", (9, 9)))),
    ],
)
def test_unusual_images_need_no_further_imports(name: str, content: bytes) -> None:
    assert len(pages(content, job_for(IMAGE_RENDERER, pillow_format=name))) == 1


def test_orientation_is_read_behind_the_walls() -> None:
    content = picture("JPEG", size=(40, 20), exif=turned())
    (page,) = pages(content, job_for(IMAGE_RENDERER, pillow_format="JPEG"))
    assert (page.width, page.height) == (20, 40)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_decoded_behind_the_walls(encoding: str) -> None:
    (page,) = pages("na\u00efve".encode(encoding), job_for(TEXT_RENDERER))
    assert page.text == "na\u00efve"
