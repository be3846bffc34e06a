import codecs
import io
import struct
from pathlib import Path

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
from collections_app.engine.rendering.file_types import ACCEPTED, sniff
from collections_app.engine.rendering.formats.base import Format
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

WHOLE = {
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


def kind_of(content: bytes) -> Format:
    return sniff(io.BytesIO(content))


@pytest.mark.parametrize("extension", WHOLE)
def test_whole_files_are_known_by_their_content(extension: str) -> None:
    kind = kind_of(WHOLE[extension])
    assert kind.extension == extension
    assert "/" in kind.content_type


def test_each_of_them_is_in_the_table_that_people_read() -> None:
    table = (Path(__file__).parents[4] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [extension for extension in WHOLE if f"`{extension}`" not in table] == []


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
def test_unusual_but_good_files_are_known(content: bytes, content_type: str) -> None:
    assert kind_of(content).content_type == content_type


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
def test_other_types_are_refused_and_the_answer_says_what_is_accepted(content: bytes) -> None:
    with pytest.raises(UnsupportedType) as refused:
        kind_of(content)
    assert ACCEPTED in refused.value.detail


def test_nothing_is_not_a_file() -> None:
    with pytest.raises(FileEmpty):
        kind_of(b"")


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif", "tiff", "gif", "bmp", "docx", "odt"])
def test_a_file_that_ends_in_its_header_is_damaged(extension: str) -> None:
    with pytest.raises(FileDamaged):
        kind_of(WHOLE[extension][:20])


def test_a_picture_with_a_pdf_inside_is_a_picture() -> None:
    gif = picture("GIF", comment=b"%PDF-1.7")
    assert kind_of(gif + pdf("hidden")).extension == "gif"


def test_an_archive_behind_a_picture_does_not_count() -> None:
    assert kind_of(WHOLE["png"] + WHOLE["docx"]).extension == "png"


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
def test_a_picture_of_absurd_size_is_refused_by_its_header(content: bytes) -> None:
    with pytest.raises(PageTooLarge):
        kind_of(content)


def test_the_limit_of_pixels_is_met_exactly() -> None:
    file = io.BytesIO(picture("PNG", size=(40, 20)))
    assert sniff(file, max_pixels=800).extension == "png"
    with pytest.raises(PageTooLarge):
        sniff(file, max_pixels=799)


def test_a_password_on_an_office_document_is_noticed() -> None:
    with pytest.raises(FileEncrypted):
        kind_of(ole2("EncryptionInfo", "EncryptedPackage"))


def test_a_password_on_an_open_document_is_noticed() -> None:
    assert kind_of(odt("open")).extension == "odt"
    with pytest.raises(FileEncrypted):
        kind_of(odt("secret", encrypted=True))


def test_an_archive_that_unpacks_to_hundreds_of_times_its_size_is_refused() -> None:
    assert kind_of(zip_bomb(31)).extension == "docx"
    with pytest.raises(FileExpandsTooMuch):
        kind_of(zip_bomb(33))


def test_an_archive_that_gives_out_the_same_bytes_several_times_is_damaged() -> None:
    content = bytearray(WHOLE["docx"])
    entry = content.index(b"PK\x01\x02")
    content[entry + 20 : entry + 24] = struct.pack("<I", len(content))
    with pytest.raises(FileDamaged):
        kind_of(bytes(content))


def test_an_archive_that_says_it_unpacks_to_gigabytes_is_refused() -> None:
    content = bytearray(WHOLE["docx"])
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 0xFFFFFFF0)
    with pytest.raises(FileExpandsTooMuch):
        kind_of(bytes(content))


@pytest.mark.parametrize(("place", "value"), [(10, b"\xff\xff"), (12, b"\xff\xff\xff\xff")])
def test_an_archive_with_an_endless_table_is_refused(place: int, value: bytes) -> None:
    content = bytearray(WHOLE["docx"])
    end = content.rindex(b"PK\x05\x06") + place
    content[end : end + len(value)] = value
    with pytest.raises(FileExpandsTooMuch):
        kind_of(bytes(content))


def test_an_older_document_whose_directory_bites_its_tail_ends() -> None:
    content = bytearray(ole2("a"))
    content[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    with pytest.raises(UnsupportedType):
        kind_of(bytes(content))


class Counting(io.BytesIO):
    """Remembers the largest piece that was asked for."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        self.largest = max(self.largest, size)
        return super().read(size)


@pytest.mark.parametrize("content", [*WHOLE.values(), b"a" * 1_000_000, endless_pdf(), b"\x80" * 1_000_000])
def test_little_is_read_at_once_and_the_file_is_left_open_at_its_beginning(content: bytes) -> None:
    file = Counting(content)
    try:
        sniff(file)
    except UnsupportedType:
        assert content[:1] == b"\x80"
    assert file.tell() == 0
    assert not file.closed
    assert file.largest <= 128 * 1024


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A whole file with some bytes changed, cut off or put in."""
    content = bytearray(draw(st.sampled_from(list(WHOLE.values()))))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(content[: draw(st.integers(0, len(content)))])


@given(broken() | st.binary(max_size=200))
@example(b"PK\x03\x04")
@example(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
@example(b"RIFF....WEBP")
@example(b"BM")
def test_any_bytes_are_either_a_kind_or_a_refusal(content: bytes) -> None:
    try:
        assert kind_of(content).content_type
    except Error as refused:
        assert refused.code  # noqa: PT017 - either outcome is right
