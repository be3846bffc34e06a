"""The directory of an OLE2 container, in which the binary Office formats are stored.

It is parsed here, with limits, because the file is untrusted and describes itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from collections_app.engine.rendering.errors import FileDamaged

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# A directory entry has 128 bytes, with a name of at most 32 UTF-16 units.
_DIRECTORY_ENTRY = 128
_MAX_SECTORS = 256
_FIRST_SPECIAL_SECTOR = 0xFFFFFFFA  # sector numbers from here on are markers, such as the end of a chain
_FAT_SECTORS_IN_HEADER = 109


@dataclass(frozen=True, slots=True)
class Stream:
    """An entry of the directory: its name, and where its content starts."""

    name: str
    sector: int
    sector_size: int


def streams(file: IO[bytes]) -> Iterator[Stream]:
    """Yield the entries of the directory, which is a chain of sectors."""
    file.seek(0)
    header = file.read(512)
    if len(header) < 512:
        raise FileDamaged
    shift = int.from_bytes(header[30:32], "little")
    if shift not in (9, 12):
        raise FileDamaged
    sector, size = int.from_bytes(header[48:52], "little"), 1 << shift
    for _ in range(_MAX_SECTORS):
        if sector >= _FIRST_SPECIAL_SECTOR:
            return
        data = _read_sector(file, sector, size)
        for offset in range(0, len(data) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
            length = int.from_bytes(data[offset + 64 : offset + 66], "little")
            name = data[offset : offset + min(max(length - 2, 0), 64)].decode("utf-16-le", errors="replace")
            yield Stream(name, int.from_bytes(data[offset + 116 : offset + 120], "little"), size)
        sector = _next_sector(file, header, sector, size)


def is_encrypted(file: IO[bytes]) -> bool:
    """Return whether the file is a binary Office document marked as encrypted.

    It may open all the same, if it is encrypted with a well-known default password.
    """
    file.seek(0)
    if file.read(len(SIGNATURE)) != SIGNATURE:
        return False
    for stream in streams(file):
        start = _read_sector(file, stream.sector, stream.sector_size)
        if stream.name == "EncryptedSummary":
            return True
        if stream.name == "WordDocument" and start[:2] == b"\xec\xa5":
            return bool(start[11:12] and start[11] & 1)
        if stream.name in ("Workbook", "Book"):
            return b"\x2f\x00" in _record_types(start)
    return False


def _record_types(stream: bytes) -> Iterator[bytes]:
    """Yield the types of the first records of a workbook."""
    offset = 0
    while offset + 4 <= len(stream):
        yield stream[offset : offset + 2]
        offset += 4 + int.from_bytes(stream[offset + 2 : offset + 4], "little")


def _next_sector(file: IO[bytes], header: bytes, sector: int, size: int) -> int:
    """Return the next sector of a chain, from the part of the allocation table that the header lists."""
    table_number, index = divmod(sector, size // 4)
    if table_number >= _FAT_SECTORS_IN_HEADER:
        return _FIRST_SPECIAL_SECTOR
    table = int.from_bytes(header[76 + 4 * table_number : 80 + 4 * table_number], "little")
    if table >= _FIRST_SPECIAL_SECTOR:
        raise FileDamaged
    return int.from_bytes(_read_sector(file, table, size)[4 * index : 4 * index + 4].ljust(4, b"\xff"), "little")


def _read_sector(file: IO[bytes], number: int, size: int) -> bytes:
    file.seek((number + 1) * size)
    return file.read(size)
