import struct

import pytest
from PIL import Image

from collections_app.engine.rendering.errors import FileDamaged
from tests.collections_app.engine.rendering.formats.detection import format_of, size_of
from tests.collections_app.engine.rendering.samples import picture


@pytest.mark.parametrize(
    ("options", "chunk"),
    [({}, b"VP8 "), ({"lossless": True}, b"VP8L"), ({"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}, b"VP8X")],
)
@pytest.mark.parametrize("size", [(1, 1), (300, 7), (1000, 2000)])
def test_the_size_is_read_from_every_kind_of_chunk(
    options: dict[str, object], chunk: bytes, size: tuple[int, int]
) -> None:
    content = picture("WEBP", size=size, **options)
    assert content[12:16] == chunk
    assert format_of(content).content_type == "image/webp"
    assert size_of(content) == size


def test_an_animation_declares_its_size() -> None:
    assert size_of(picture("WEBP", *(Image.new("RGB", (30, 20), color) for color in ("red", "blue")))) == (30, 20)


@pytest.mark.parametrize("chunk", [b"VP8X", b"VP8L", b"VP8 ", b"ICCP"])
def test_a_header_without_a_size_is_damaged(chunk: bytes) -> None:
    for content in (b"", bytes(9), struct.pack("<I", 10) + bytes(10) if chunk != b"VP8X" else bytes(5)):
        with pytest.raises(FileDamaged):
            format_of(b"RIFF" + bytes(4) + b"WEBP" + chunk + content)
