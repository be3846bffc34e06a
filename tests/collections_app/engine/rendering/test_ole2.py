import io
import struct

import pytest

from collections_app.engine.rendering import ole2
from collections_app.engine.rendering.errors import FileDamaged
from tests.collections_app.engine.rendering import samples


def names(content: bytes) -> list[str]:
    return [stream.name for stream in ole2.streams(io.BytesIO(content))]


def test_the_directory_is_read_across_sectors() -> None:
    streams = ["a", "b", "c", "d", "e", "PowerPoint Document"]
    assert names(samples.ole2(*streams))[:7] == ["Root Entry", *streams]


@pytest.mark.parametrize(
    "content",
    [
        samples.ole2("a")[:511],
        samples.ole2("a")[:30] + struct.pack("<H", 20) + samples.ole2("a")[32:],
        samples.ole2("a", "b", "c", "d")[:76] + b"\xff" * 4 + samples.ole2("a", "b", "c", "d")[80:],
    ],
    ids=["truncated header", "invalid sector size", "no allocation table"],
)
def test_a_damaged_container_is_reported(content: bytes) -> None:
    with pytest.raises(FileDamaged):
        names(content)


def test_a_directory_that_links_to_itself_ends() -> None:
    content = bytearray(samples.ole2("a"))
    content[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    assert len(names(bytes(content))) == 256 * 4


@pytest.mark.parametrize(
    ("content", "encrypted"),
    [
        (samples.locked_xls(), True),
        (samples.ole2("EncryptedSummary"), True),
        (samples.ole2("Workbook"), False),
        (samples.ole2("WordDocument"), False),
        (b"PK\x03\x04", False),
    ],
)
def test_encryption_is_detected(content: bytes, encrypted: bool) -> None:
    assert ole2.is_encrypted(io.BytesIO(content)) is encrypted
