import io
import mmap
import struct
from typing import Any

import pytest
from PIL import AvifImagePlugin, Image

from collections_app.engine.rendering.errors import FileDamaged, PageTooLarge, UnsupportedType
from collections_app.engine.rendering.file_types import sniff
from collections_app.engine.rendering.formats import avif
from collections_app.engine.rendering.protocol import Job, PageNotRendered, RenderedPage, RenderLimits
from collections_app.engine.rendering.render import render
from paliapi.errors import Error
from tests.collections_app.engine.rendering.samples import picture

IMAGE = picture("AVIF", size=(40, 20))
SEQUENCE = picture("AVIF", *(Image.new("RGB", (40, 20), color) for color in ("red", "blue")))


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def with_size(width: int, height: int, content: bytes = IMAGE) -> bytes:
    """Return an AVIF that declares another size than its pixels have."""
    start = content.index(b"ispe") + 8
    return content[:start] + struct.pack(">II", width, height) + content[start + 8 :]


def size_of(content: bytes) -> tuple[int, int]:
    assert avif.AVIF.read_size
    return avif.AVIF.read_size(io.BytesIO(content))


def outcome(content: bytes, **limits: Any) -> list[RenderedPage] | type[Error]:
    try:
        return list(render(io.BytesIO(content), limits=RenderLimits(**limits), dpi=72))
    except PageNotRendered as failure:
        return type(failure.error)
    except Error as error:
        return type(error)


@pytest.mark.parametrize("content", [IMAGE, SEQUENCE], ids=["image", "sequence"])
def test_images_and_sequences_are_avif(content: bytes) -> None:
    assert sniff(io.BytesIO(content)) is avif.AVIF
    assert size_of(content) == (40, 20)


@pytest.mark.parametrize("content", [IMAGE, SEQUENCE], ids=["image", "sequence"])
def test_the_first_frame_is_the_only_page(content: bytes) -> None:
    pages = outcome(content)
    assert isinstance(pages, list)
    (page,) = pages
    red, _, blue = Image.open(io.BytesIO(page.image)).split()
    assert (page.total, page.width, page.height) == (1, 40, 20)
    assert red.getpixel((20, 10)) > 200 > 50 > blue.getpixel((20, 10))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("ftyp", "accepted"),
    [
        (box(b"ftyp", b"mif1", bytes(4), b"mif1", b"avif"), True),
        (box(b"ftyp", b"msf1", bytes(4), b"avis"), True),
        (box(b"ftyp", b"mif1", bytes(4), b"heic"), False),
        (box(b"ftyp", b"heic", bytes(4), b"avif"), False),
        (box(b"ftyp", b"isom", bytes(4), b"mp42"), False),
    ],
)
def test_the_brands_decide(ftyp: bytes, accepted: bool) -> None:
    file = io.BytesIO(ftyp + IMAGE[IMAGE.index(b"meta") - 4 :])
    if accepted:
        assert sniff(file) is avif.AVIF
    else:
        with pytest.raises(UnsupportedType):
            sniff(file)


def test_the_largest_declared_size_counts() -> None:
    sizes = [box(b"ispe", bytes(4), struct.pack(">II", *size)) for size in ((10, 10), (300, 200), (500, 1))]
    assert size_of(box(b"meta", bytes(4), box(b"iprp", box(b"ipco", *sizes)))) == (300, 200)


@pytest.mark.parametrize("version", [0, 1])
def test_the_size_of_a_track_counts(version: int) -> None:
    fixed_point = struct.pack(">HHHH", 640, 0, 480, 0)
    header = box(b"tkhd", bytes([version]), bytes(75 + 12 * version), fixed_point)
    assert size_of(box(b"moov", box(b"trak", header))) == (640, 480)


def test_sizes_of_boxes_may_have_64_bits_or_extend_to_the_end() -> None:
    ispe = box(b"ispe", bytes(4), struct.pack(">II", 7, 8))
    inner = b"ipco" + ispe
    long = struct.pack(">I", 1) + b"iprp" + struct.pack(">Q", 16 + 4 + len(inner)) + struct.pack(">I", 0) + inner
    assert size_of(struct.pack(">I", 0) + b"meta" + bytes(4) + long) == (7, 8)


@pytest.mark.parametrize(
    "content",
    [
        IMAGE[:20],
        IMAGE[: IMAGE.index(b"ispe")],
        with_size(0, 20),
        box(b"ftyp", b"avif", bytes(4)) + box(b"free") * 1001 + IMAGE[32:],
        box(b"ftyp", b"avif", bytes(4)) + struct.pack(">I4s", 4, b"meta"),
        box(b"ftyp", b"avif", bytes(4)) + struct.pack(">I4sQ", 1, b"meta", 2**63),
    ],
    ids=["truncated", "no size", "zero size", "too many boxes", "box smaller than its header", "box beyond the end"],
)
def test_damaged_structure_is_detected_before_rendering(content: bytes) -> None:
    with pytest.raises(FileDamaged):
        sniff(io.BytesIO(content))


@pytest.mark.parametrize("content", [IMAGE[:-20], IMAGE[:-45] + bytes(45)], ids=["truncated", "overwritten"])
def test_damaged_pixels_are_reported(content: bytes) -> None:
    assert outcome(content) is FileDamaged


def test_an_image_of_too_many_pixels_is_refused_by_its_header() -> None:
    assert outcome(with_size(10_001, 10_000)) is PageTooLarge
    assert outcome(with_size(0xFFFFFFFF, 0xFFFFFFFF)) is PageTooLarge


@pytest.mark.parametrize("size", [(9000, 9000), (1, 1)], ids=["too large", "too small"])
def test_a_wrong_declaration_is_no_way_around_the_limits(size: tuple[int, int]) -> None:
    pages = outcome(with_size(*size), memory_mb=1536, megapixels=1)
    assert pages is FileDamaged or (isinstance(pages, list) and pages[0].width * pages[0].height <= 1_000_000)


def test_the_decoder_starts_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", 0)
    memory = mmap.mmap(-1, len(IMAGE))
    memory.write(IMAGE)
    memory.seek(0)
    job = Job(renderer=avif.__name__, pillow_format="AVIF", dpi=72, encoding="png", limits=RenderLimits())
    total, pages = avif.render_pages(memory, job)
    assert (total, len(list(pages))) == (1, 1)
    assert AvifImagePlugin.DEFAULT_MAX_THREADS == 1
