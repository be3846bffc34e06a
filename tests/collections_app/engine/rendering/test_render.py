import io
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from collections_app.engine.rendering.errors import (
    FileDamaged,
    FileEmpty,
    FileEncrypted,
    FileWithoutPages,
    PageTooLarge,
    RenderCrashed,
    RenderTookTooLong,
    RenderTookTooMuchMemory,
    RenderUnavailable,
    TooManyPages,
    UnsupportedType,
)
from collections_app.engine.rendering.protocol import Encoding, PageNotRendered, RenderedPage, RenderLimits
from collections_app.engine.rendering.render import render
from paliapi.errors import Error
from tests.collections_app.engine.rendering.renderers import renderers
from tests.collections_app.engine.rendering.samples import (
    endless_pdf,
    huge_png,
    pdf,
    pdf_with_bloated_page,
    picture,
    with_giant_page,
)


def pages_of(content: bytes, **options: Any) -> list[RenderedPage]:
    """Return all pages, or raise what is wrong with the file or with one page."""
    try:
        return list(render(io.BytesIO(content), **options))
    except PageNotRendered as failure:
        raise failure.error from failure


def image_of(page: RenderedPage) -> Image.Image:
    image = Image.open(io.BytesIO(page.image))
    assert image.size == (page.width, page.height)
    assert image.mode == "RGB"
    return image


@pytest.fixture
def one_child() -> Iterator[Callable[[], int]]:
    """Return a function that returns the one child started since; none may be left behind."""
    before = renderers()

    def new() -> int:
        [child] = renderers() - before
        return child

    yield new
    assert renderers() <= before


def test_pdf_pages_have_images_and_words() -> None:
    first, second = pages_of(pdf("Hello World", "Second page"))
    assert (first.number, first.total, second.number, second.total) == (1, 2, 2, 2)
    assert (first.text, second.text) == ("Hello World", "Second page")
    assert [word.text for word in second.words] == ["Second", "page"]
    assert (first.width, first.height) == (1190, 1684)
    assert image_of(first).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("encoding", ["png", "jpeg", "webp"])
def test_pages_have_the_requested_encoding(encoding: Encoding) -> None:
    [page] = pages_of(pdf("x", size=(100, 200)), encoding=encoding, dpi=72)
    assert page.content_type == f"image/{encoding}"
    assert Image.open(io.BytesIO(page.image)).format == encoding.upper()
    assert (page.width, page.height) == (100, 200)


def test_a_huge_page_is_scaled_down() -> None:
    [page] = pages_of(pdf("x", size=(14400, 14400)), limits=RenderLimits(megapixels=1))
    assert (page.width, page.height) == (1000, 1000)


def test_a_page_of_extreme_size_is_refused() -> None:
    with pytest.raises(PageTooLarge):
        pages_of(pdf("x", size=(200_000, 200_000)))


def test_a_page_that_cannot_be_rendered_is_named() -> None:
    rendered = render(io.BytesIO(with_giant_page(pdf("one", "two", "three"), page=2)))
    assert next(rendered).number == 1
    with pytest.raises(PageNotRendered) as caught:
        next(rendered)
    assert (caught.value.page, caught.value.total, type(caught.value.error)) == (2, 3, PageTooLarge)


def test_a_page_of_almost_no_height_is_rendered() -> None:
    [page] = pages_of(pdf("x", size=(14400, 0.01)))
    assert page.height == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (pdf("x", encrypt=True), FileEncrypted),
        (pdf(), FileWithoutPages),
        (pdf("x" * 100)[:300], FileDamaged),
        (b"%PDF-1.7 and nothing more", FileDamaged),
        (b"", FileEmpty),
        (b"<html>", UnsupportedType),
        (picture("JPEG", Image.effect_mandelbrot((200, 200), (-2, -2, 2, 2), 50))[:-600], FileDamaged),
        (picture("PNG", Image.effect_mandelbrot((200, 200), (-2, -2, 2, 2), 50))[:-600], FileDamaged),
        (huge_png(10_001), PageTooLarge),
    ],
)
def test_files_that_cannot_be_rendered_have_a_specific_error(content: bytes, error: type[Error]) -> None:
    with pytest.raises(error):
        pages_of(content)


def test_too_many_pages_are_refused_before_the_first() -> None:
    limits = RenderLimits(max_pages=2)
    assert len(pages_of(pdf("1", "2"), limits=limits)) == 2
    with pytest.raises(TooManyPages):
        pages_of(pdf("1", "2", "3"), limits=limits)
    frames = [Image.new("L", (4, 4), shade) for shade in range(3)]
    with pytest.raises(TooManyPages):
        pages_of(picture("TIFF", *frames), limits=limits)


def test_pages_before_a_damaged_one_are_rendered() -> None:
    pages = render(io.BytesIO(pdf("1", "2").replace(b"/Count 2", b"/Count 9")))
    assert [next(pages).text, next(pages).text] == ["1", "2"]
    with pytest.raises(PageNotRendered, match="file_damaged"):
        next(pages)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_the_pages_of_an_image_are_its_frames(form: str) -> None:
    content = picture(form, *(Image.new("RGB", (8, 8), color) for color in ("red", "blue")))
    numbers = [(page.number, page.total) for page in pages_of(content)]
    assert numbers == ([(1, 2), (2, 2)] if form == "TIFF" else [(1, 1)])


@pytest.mark.parametrize("first_page", [1, 2, 3, 4])
def test_rendering_starts_at_the_requested_page(first_page: int) -> None:
    frames = [Image.new("RGB", (40, 20), shade) for shade in ("red", "green", "blue")]
    for content in (pdf("one", "two", "three"), picture("TIFF", *frames)):
        whole = pages_of(content)
        assert pages_of(content, first_page=first_page) == whole[first_page - 1 :]


def test_an_oversized_later_frame_is_refused() -> None:
    frames = picture("TIFF", Image.new("1", (10, 10)), Image.new("1", (2000, 2000)), compression="group4")
    with pytest.raises(PageTooLarge, match="Page 2"):
        pages_of(frames, limits=RenderLimits(source_megapixels=1))


def test_an_image_that_needs_too_much_memory_has_its_own_error() -> None:
    content = picture("PNG", Image.new("RGBA", (6000, 6000)))
    with pytest.raises(RenderTookTooMuchMemory):
        pages_of(content, limits=RenderLimits(memory_mb=256))


def test_a_pdf_that_needs_too_much_memory_affects_only_its_own_process() -> None:
    with pytest.raises((RenderCrashed, RenderTookTooMuchMemory)):
        pages_of(pdf_with_bloated_page(200), limits=RenderLimits(memory_mb=256))


def test_an_endless_page_times_out(one_child: Callable[[], int]) -> None:
    with pytest.raises(RenderTookTooLong):
        pages_of(endless_pdf(), limits=RenderLimits(page_s=1))


def test_a_child_killed_from_outside_is_retryable(one_child: Callable[[], int]) -> None:
    # More than a pipe holds, so that the child is still writing when it is killed.
    pages = render(io.BytesIO(pdf(*["words"] * 100)))
    next(pages)
    os.kill(one_child(), signal.SIGKILL)
    with pytest.raises(RenderUnavailable):
        list(pages)


def test_a_crash_of_the_child_fails_only_its_page(one_child: Callable[[], int]) -> None:
    pages = render(io.BytesIO(pdf(*["words"] * 100)))
    next(pages)
    os.kill(one_child(), signal.SIGSEGV)
    with pytest.raises(PageNotRendered) as caught:
        list(pages)
    assert isinstance(caught.value.error, RenderCrashed)


def test_the_child_ends_when_the_consumer_stops(one_child: Callable[[], int]) -> None:
    pages = render(io.BytesIO(pdf(*["words"] * 100)))
    next(pages)
    assert one_child()
    pages.close()


def test_the_child_has_no_environment(one_child: Callable[[], int]) -> None:
    pages = render(io.BytesIO(pdf(*["words"] * 100)))
    next(pages)
    environment = Path(f"/proc/{one_child()}/environ").read_bytes()
    assert {part.partition(b"=")[0] for part in environment.split(b"\0") if part} <= {b"LANG", b"PATH", b"LC_CTYPE"}
    pages.close()


def test_paths_open_files_and_files_in_memory_are_equivalent(tmp_path: Path) -> None:
    path = tmp_path / "named.txt"
    path.write_bytes(pdf("same"))
    with path.open("rb") as file:
        file.seek(10)
        texts = [page.text for source in (path, file, io.BytesIO(pdf("same"))) for page in render(source)]
        assert not file.closed
    assert texts == ["same"] * 3


def test_unflushed_content_is_rendered(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        file.write(pdf("fresh"))
        assert [page.text for page in render(file)] == ["fresh"]
