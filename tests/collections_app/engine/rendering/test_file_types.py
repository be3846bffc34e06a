import codecs
import io
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collections_app.engine.rendering.errors import (
    FileDamaged,
    FileEmpty,
    FileEncrypted,
    FileExpandsTooMuch,
    PageTooLarge,
    UnsupportedType,
)
from collections_app.engine.rendering.file_types import ACCEPTED, known_format, sniff
from collections_app.engine.rendering.formats.base import Format
from collections_app.engine.rendering.formats.registry import FORMATS
from paliapi.errors import Error
from tests.collections_app.engine.rendering.samples import (
    endless_pdf,
    huge_png,
    odt,
    office_xml,
    ole2,
    open_document,
    pdf,
    picture,
    zip_bomb,
    zipped,
)

VALID = {
    "pdf": pdf("text"),
    "png": picture("PNG"),
    "jpg": picture("JPEG"),
    "webp": picture("WEBP"),
    "avif": picture("AVIF"),
    "tiff": picture("TIFF"),
    "gif": picture("GIF"),
    "bmp": picture("BMP"),
    "docx": office_xml("word/document.xml"),
    "pptx": office_xml("ppt/presentation.xml"),
    "xlsx": office_xml("xl/workbook.xml"),
    "xlsb": office_xml("xl/workbook.bin"),
    "odt": open_document("text"),
    "odp": open_document("presentation"),
    "ods": open_document("spreadsheet"),
    "odg": open_document("graphics"),
    "doc": ole2("WordDocument"),
    "ppt": ole2("a", "b", "c", "d", "e", "PowerPoint Document"),
    "xls": ole2("Workbook"),
    "rtf": rb"{\rtf1\ansi text}",
    "txt": b"Plain text.",
}


def format_of(content: bytes) -> Format:
    return sniff(io.BytesIO(content))


@pytest.mark.parametrize("extension", VALID)
def test_valid_files_are_detected_by_content(extension: str) -> None:
    format_ = format_of(VALID[extension])
    assert format_.extension == extension
    assert "/" in format_.content_type


def test_every_format_has_a_sample() -> None:
    assert {format_.extension for format_ in FORMATS} == set(VALID)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\n" * 900 + pdf("text"), "application/pdf"),
        (b"\x80 junk \xff" + pdf("text"), "application/pdf"),
        (picture("TIFF", big_tiff=True), "image/tiff"),
        (picture("WEBP", lossless=True), "image/webp"),
        (picture("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"), "image/webp"),
        (codecs.BOM_UTF8 + "Grüße".encode(), "text/plain"),
        (codecs.BOM_UTF16_LE + "Grüße".encode("utf-16-le"), "text/plain"),
        (codecs.BOM_UTF16_BE + "Grüße".encode("utf-16-be"), "text/plain"),
        (b"name,year\r\nBMW,2024\f\n", "text/plain"),
        (b"BMW builds cars, and this is a text.", "text/plain"),
        (b"<!-- a comment --> # Markdown", "text/plain"),
        (b"A PDF begins with %PDF-1.7, says this text.", "text/plain"),
        (("é" * 100_001).encode(), "text/plain"),
    ],
)
def test_unusual_valid_files_are_detected(content: bytes, content_type: str) -> None:
    assert format_of(content).content_type == content_type


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><title>x</title>",
        b" \n <HTML>",
        codecs.BOM_UTF8 + b"<html>",
        codecs.BOM_UTF16_LE + "<html>".encode("utf-16-le"),
        b'<?xml version="1.0"?><svg/>',
        b"<svg onload='alert(1)'/>",
        b"<html>" + pdf("hidden"),
        b"\x7fELF\x02\x01\x01" + bytes(100),
        b"MZ" + bytes(100),
        b"text with \x1b[31mcontrol characters",
        b"text with \0",
        "Grüße".encode("latin-1"),
        codecs.BOM_UTF16_LE + b"\x00\xd8",
        zipped(("a.txt", b"text")),
        zipped(("word/document.xml", b"no types")),
        zipped(("mimetype", b"application/epub+zip")),
        ole2("something else"),
        b"\0\0\0\x18ftypheic" + bytes(100),
        b"%!PS-Adobe-3.0 EPSF-3.0\n\x04",
    ],
)
def test_other_types_are_refused_with_a_list_of_accepted_types(content: bytes) -> None:
    with pytest.raises(UnsupportedType) as caught:
        format_of(content)
    assert ACCEPTED in caught.value.detail


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(FileEmpty):
        format_of(b"")


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif", "tiff", "gif", "bmp", "docx", "odt"])
def test_a_file_truncated_in_its_header_is_damaged(extension: str) -> None:
    with pytest.raises(FileDamaged):
        format_of(VALID[extension][:20])


def test_an_image_that_contains_a_pdf_is_an_image() -> None:
    gif = picture("GIF", comment=b"%PDF-1.7")
    assert format_of(gif + pdf("hidden")).extension == "gif"


def test_an_archive_appended_to_an_image_is_ignored() -> None:
    assert format_of(VALID["png"] + VALID["docx"]).extension == "png"


@pytest.mark.parametrize(
    "content",
    [
        huge_png(10_001),
        b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + b"\xff\xff\x00\xff\xff\x00",
        b"GIF89a"
        + struct.pack("<HH", 65535, 65535)
        + b"\0\0\0,"
        + struct.pack("<HHHH", 0, 0, 65535, 65535)
        + b"\0\2\0",
    ],
)
def test_an_image_of_extreme_size_is_refused_by_its_header(content: bytes) -> None:
    with pytest.raises(PageTooLarge):
        format_of(content)


def test_the_pixel_limit_is_exact() -> None:
    file = io.BytesIO(picture("PNG", size=(40, 20)))
    assert sniff(file, max_pixels=800).extension == "png"
    with pytest.raises(PageTooLarge):
        sniff(file, max_pixels=799)


def test_an_encrypted_office_document_is_detected() -> None:
    with pytest.raises(FileEncrypted):
        format_of(ole2("EncryptionInfo", "EncryptedPackage"))


def test_an_encrypted_open_document_is_detected() -> None:
    assert format_of(odt("open")).extension == "odt"
    with pytest.raises(FileEncrypted):
        format_of(odt("secret", encrypted=True))


def test_an_archive_with_an_extreme_compression_ratio_is_refused() -> None:
    assert format_of(zip_bomb(31)).extension == "docx"
    with pytest.raises(FileExpandsTooMuch):
        format_of(zip_bomb(33))


def test_an_archive_whose_entries_overlap_is_damaged() -> None:
    content = bytearray(VALID["docx"])
    entry = content.index(b"PK\x01\x02")
    content[entry + 20 : entry + 24] = struct.pack("<I", len(content))
    with pytest.raises(FileDamaged):
        format_of(bytes(content))


def test_an_archive_that_declares_gigabytes_is_refused() -> None:
    content = bytearray(VALID["docx"])
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 0xFFFFFFF0)
    with pytest.raises(FileExpandsTooMuch):
        format_of(bytes(content))


@pytest.mark.parametrize(("offset", "value"), [(10, b"\xff\xff"), (12, b"\xff\xff\xff\xff")])
def test_an_archive_with_an_oversized_table_is_refused(offset: int, value: bytes) -> None:
    content = bytearray(VALID["docx"])
    end = content.rindex(b"PK\x05\x06") + offset
    content[end : end + len(value)] = value
    with pytest.raises(FileExpandsTooMuch):
        format_of(bytes(content))


def test_an_ole2_directory_that_links_to_itself_is_refused() -> None:
    content = bytearray(ole2("a"))
    content[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    with pytest.raises(UnsupportedType):
        format_of(bytes(content))


class Counting(io.BytesIO):
    """Remembers the largest read."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        self.largest = max(self.largest, size)
        return super().read(size)


@pytest.mark.parametrize("content", [*VALID.values(), b"a" * 1_000_000, endless_pdf(), b"\x80" * 1_000_000])
def test_reads_are_bounded_and_the_file_is_left_open_at_its_start(content: bytes) -> None:
    file = Counting(content)
    try:
        sniff(file)
    except UnsupportedType:
        assert content[:1] == b"\x80"
    assert file.tell() == 0
    assert not file.closed
    assert file.largest <= 128 * 1024


@st.composite
def corrupted(draw: st.DrawFn) -> bytes:
    """Draw a valid file with some bytes changed, removed or inserted."""
    content = bytearray(draw(st.sampled_from(list(VALID.values()))))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(content)))
        content[start : start + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(content[: draw(st.integers(0, len(content)))])


@given(corrupted() | st.binary(max_size=200))
@example(b"PK\x03\x04")
@example(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
@example(b"RIFF....WEBP")
@example(b"BM")
def test_any_bytes_are_either_a_format_or_a_typed_error(content: bytes) -> None:
    try:
        assert format_of(content).content_type
    except Error as error:
        assert error.code  # noqa: PT017 - either outcome is right


def test_format_is_known_by_the_type_that_was_detected() -> None:
    for format_ in FORMATS:
        assert known_format(format_.content_type) is format_
    assert known_format("application/x-unknown") is None
