"""Which Office document a ZIP or an OLE2 container holds, told by its table of contents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from collections_app.engine.rendering import zip_check
from collections_app.engine.rendering.errors import FileDamaged, FileEncrypted

ZIP = b"PK\x03\x04"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_OFFICE_XML = "application/vnd.openxmlformats-officedocument"
_BY_ENTRY = {
    b"word/document.xml": (f"{_OFFICE_XML}.wordprocessingml.document", "docx"),
    b"ppt/presentation.xml": (f"{_OFFICE_XML}.presentationml.presentation", "pptx"),
    b"xl/workbook.xml": (f"{_OFFICE_XML}.spreadsheetml.sheet", "xlsx"),
    b"xl/workbook.bin": ("application/vnd.ms-excel.sheet.binary.macroenabled.12", "xlsb"),
}
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_BY_MIMETYPE = {
    word.encode(): (f"{_OPEN_DOCUMENT}{word}", extension)
    for word, extension in {"text": "odt", "presentation": "odp", "spreadsheet": "ods", "graphics": "odg"}.items()
}
_BY_STREAM = {
    "WordDocument": ("application/msword", "doc"),
    "PowerPoint Document": ("application/vnd.ms-powerpoint", "ppt"),
    "Workbook": ("application/vnd.ms-excel", "xls"),
    "Book": ("application/vnd.ms-excel", "xls"),
}
CONTENT_TYPES = frozenset(kind for table in (_BY_ENTRY, _BY_MIMETYPE, _BY_STREAM) for kind, _ in table.values())

_MANIFEST = b"META-INF/manifest.xml"
_LARGEST_MANIFEST = 4 * 1024 * 1024

# OLE2: a directory entry is 128 bytes with a name of at most 32 UTF-16 units.
_DIRECTORY_ENTRY = 128
_MAX_SECTORS = 256
_IN_USE = 0xFFFFFFFA  # sector numbers from here on are marks


def kind_in_zip(file: IO[bytes]) -> tuple[str, str] | None:
    """(content type, extension), or None for a ZIP that is something else."""
    file.seek(0)
    head = file.read(128)
    entries = {entry.name: entry for entry in zip_check.entries(file)}
    if (mimetype := _mimetype(head)) is not None:
        return _open_document(file, mimetype, entries)
    if b"[Content_Types].xml" not in entries:
        return None
    return next((kind for name, kind in _BY_ENTRY.items() if name in entries), None)


def _mimetype(head: bytes) -> bytes | None:
    """What follows the family name; OpenDocument begins with an entry `mimetype` that is stored as it is."""
    name_size, extra_size = (int.from_bytes(head[place : place + 2], "little") for place in (26, 28))
    content, family = head[30 + name_size + extra_size :], _OPEN_DOCUMENT.encode()
    if head[30 : 30 + name_size] != b"mimetype" or not content.startswith(family):
        return None
    return content.removeprefix(family)


def _open_document(file: IO[bytes], mimetype: bytes, entries: dict[bytes, zip_check.Entry]) -> tuple[str, str] | None:
    if b"content.xml" not in entries:
        raise FileDamaged
    if (entry := entries.get(_MANIFEST)) and b"encryption-data" in zip_check.content(
        file, entry, most=_LARGEST_MANIFEST
    ):
        raise FileEncrypted
    return next((kind for word, kind in _BY_MIMETYPE.items() if mimetype.startswith(word)), None)


def kind_in_ole2(file: IO[bytes]) -> tuple[str, str] | None:
    """The same for the older formats. An encrypted newer document comes in such a container, too."""
    names = {stream.name for stream in _ole2_streams(file)}
    if "EncryptedPackage" in names:
        raise FileEncrypted
    return next((kind for name, kind in _BY_STREAM.items() if name in names), None)


def is_locked(file: IO[bytes]) -> bool:
    """Whether an older document is marked as encrypted. It may open all the same, if with a password that all know."""
    file.seek(0)
    if file.read(8) != OLE2:
        return False
    for stream in _ole2_streams(file):
        start = _sector(file, stream.sector, stream.sector_size)
        if stream.name == "EncryptedSummary":
            return True
        if stream.name == "WordDocument" and start[:2] == b"\xec\xa5":
            return bool(start[11:12] and start[11] & 1)
        if stream.name in ("Workbook", "Book"):
            return b"\x2f\x00" in _records(start)
    return False


def _records(stream: bytes) -> Iterator[bytes]:
    """The types of the first records of a workbook."""
    place = 0
    while place + 4 <= len(stream):
        yield stream[place : place + 2]
        place += 4 + int.from_bytes(stream[place + 2 : place + 4], "little")


@dataclass(frozen=True, slots=True)
class _Stream:
    name: str
    sector: int
    sector_size: int


def _ole2_streams(file: IO[bytes]) -> Iterator[_Stream]:
    """What the directory lists, which is a chain of sectors."""
    file.seek(0)
    header = file.read(512)
    if len(header) < 512:
        raise FileDamaged
    shift = int.from_bytes(header[30:32], "little")
    if shift not in (9, 12):
        raise FileDamaged
    sector, size = int.from_bytes(header[48:52], "little"), 1 << shift
    for _ in range(_MAX_SECTORS):
        if sector >= _IN_USE:
            return
        data = _sector(file, sector, size)
        for place in range(0, len(data) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
            length = int.from_bytes(data[place + 64 : place + 66], "little")
            name = data[place : place + min(max(length - 2, 0), 64)].decode("utf-16-le", errors="replace")
            yield _Stream(name, int.from_bytes(data[place + 116 : place + 120], "little"), size)
        sector = _next_sector(file, header, sector, size)


def _next_sector(file: IO[bytes], header: bytes, sector: int, size: int) -> int:
    """What follows in the chain, by the table whose first 109 parts the header lists."""
    part, place = divmod(sector, size // 4)
    if part >= 109:
        return _IN_USE
    table = int.from_bytes(header[76 + 4 * part : 80 + 4 * part], "little")
    if table >= _IN_USE:
        raise FileDamaged
    return int.from_bytes(_sector(file, table, size)[4 * place : 4 * place + 4].ljust(4, b"\xff"), "little")


def _sector(file: IO[bytes], number: int, size: int) -> bytes:
    file.seek((number + 1) * size)
    return file.read(size)
