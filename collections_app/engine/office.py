"""Which Office document a ZIP or an OLE2 container holds, told by its table of contents; nothing is unpacked.

Both tables are read by hand, with limits, because they come from strangers and describe themselves.
"""

import struct
from collections.abc import Iterator
from typing import IO

from collections_app.errors import FileDamaged, FileEncrypted, FileExpandsTooMuch

ZIP = b"PK\x03\x04"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

MAX_ENTRIES = 10_000
MAX_TABLE = 4 * 1024 * 1024
MAX_EXPANDED = 1024 * 1024 * 1024

_OFFICE_XML = "application/vnd.openxmlformats-officedocument"
_BY_ENTRY = {
    b"word/document.xml": (f"{_OFFICE_XML}.wordprocessingml.document", "docx"),
    b"ppt/presentation.xml": (f"{_OFFICE_XML}.presentationml.presentation", "pptx"),
    b"xl/workbook.xml": (f"{_OFFICE_XML}.spreadsheetml.sheet", "xlsx"),
    b"xl/workbook.bin": ("application/vnd.ms-excel.sheet.binary.macroenabled.12", "xlsb"),
}
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument."
_BY_MIMETYPE = {b"text": "odt", b"presentation": "odp", b"spreadsheet": "ods", b"graphics": "odg"}
_BY_STREAM = {
    "WordDocument": ("application/msword", "doc"),
    "PowerPoint Document": ("application/vnd.ms-powerpoint", "ppt"),
    "Workbook": ("application/vnd.ms-excel", "xls"),
    "Book": ("application/vnd.ms-excel", "xls"),
}

# ZIP: the end record and one entry of the central directory.
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LONGEST_COMMENT = 65_535

# OLE2: a directory entry is 128 bytes with a name of at most 32 UTF-16 units.
_DIRECTORY_ENTRY = 128
_MAX_SECTORS = 256
_IN_USE = 0xFFFFFFFA  # sector numbers from here on are marks


def kind_in_zip(file: IO[bytes]) -> tuple[str, str] | None:
    """(content type, extension), or None for a ZIP that is something else."""
    if found := _open_document(file):
        return found
    names = set(_zip_names(file))
    if b"[Content_Types].xml" not in names:
        return None
    return next((kind for name, kind in _BY_ENTRY.items() if name in names), None)


def _open_document(file: IO[bytes]) -> tuple[str, str] | None:
    """OpenDocument begins with an entry `mimetype` that is stored as it is."""
    file.seek(0)
    head = file.read(128)
    name_size, extra_size = struct.unpack_from("<2H", head.ljust(30), 26)
    content = head[30 + name_size + extra_size :]
    if head[30 : 30 + name_size] != b"mimetype" or not content.startswith(_OPEN_DOCUMENT):
        return None
    if b"content.xml" not in set(_zip_names(file)):
        raise FileDamaged
    content = content.removeprefix(_OPEN_DOCUMENT)
    found = next((word for word in _BY_MIMETYPE if content.startswith(word)), None)
    return ((_OPEN_DOCUMENT + found).decode(), _BY_MIMETYPE[found]) if found else None


def _zip_names(file: IO[bytes]) -> Iterator[bytes]:
    table, count = _zip_table(file)
    place = expanded = 0
    for _ in range(count):
        if place + _ENTRY.size > len(table):
            raise FileDamaged
        entry = _ENTRY.unpack_from(table, place)
        name_size, extra_size, comment_size = entry[10:13]
        if entry[0] != b"PK\x01\x02":
            raise FileDamaged
        expanded += entry[9]
        if expanded > MAX_EXPANDED:
            raise FileExpandsTooMuch
        place += _ENTRY.size
        yield table[place : place + name_size]
        place += name_size + extra_size + comment_size


def _zip_table(file: IO[bytes]) -> tuple[bytes, int]:
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = file.read(_END.size + _LONGEST_COMMENT)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + _END.size > len(tail):
        raise FileDamaged
    _, _, _, _, count, table_size, table_place, _ = _END.unpack_from(tail, end)
    if count > MAX_ENTRIES or table_size > MAX_TABLE:
        raise FileExpandsTooMuch
    file.seek(table_place)
    return file.read(table_size), count


def kind_in_ole2(file: IO[bytes]) -> tuple[str, str] | None:
    """The same for the older formats. An encrypted newer document comes in such a container, too."""
    names = set(_ole2_names(file))
    if "EncryptedPackage" in names:
        raise FileEncrypted
    return next((kind for name, kind in _BY_STREAM.items() if name in names), None)


def _ole2_names(file: IO[bytes]) -> Iterator[str]:
    """The names in the directory, which is a chain of sectors."""
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
            yield data[place : place + min(max(length - 2, 0), 64)].decode("utf-16-le", errors="replace")
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
