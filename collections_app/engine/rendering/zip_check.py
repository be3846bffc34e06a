"""The table of contents of a ZIP archive, and a check that it is truthful.

It is parsed here, with limits, because the file is untrusted and describes itself.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from collections_app.engine.rendering.errors import FileDamaged, FileExpandsTooMuch

SIGNATURE = b"PK\x03\x04"

MAX_ENTRIES = 10_000
MAX_TABLE_BYTES = 4 * 1024 * 1024
MAX_EXPANDED_BYTES = 512 * 1024 * 1024
# Large, repetitive tables compress to a hundredth of their size; a higher ratio is malicious.
MAX_RATIO = 250
_RATIO_CHECKED_FROM = 32 * 1024 * 1024

# The end record, one entry of the central directory, and the header in front of an entry's bytes.
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 65_535
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the archive, as the table describes it."""

    name: bytes
    method: int
    packed: int
    unpacked: int
    offset: int
    flags: int = 0

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & _ENCRYPTED)

    @property
    def text_name(self) -> str:
        """The name as text: in UTF-8 if the archive says so or it is valid, else in the code page of early PCs."""
        try:
            return self.name.decode("utf-8", "replace" if self.flags & _UTF_8 else "strict")
        except UnicodeDecodeError:
            return self.name.decode("cp437")


def entries(file: IO[bytes]) -> list[Entry]:
    """Return all entries; raise FileDamaged, or FileExpandsTooMuch if the table itself exceeds the limits."""
    table, count, size = _read_table(file)
    parsed = list(_parse_entries(table, count))
    if sum(entry.packed for entry in parsed) > size:
        raise FileDamaged  # entries share the same bytes
    if sum(entry.unpacked for entry in parsed) > MAX_EXPANDED_BYTES:
        raise FileExpandsTooMuch
    if any(entry.unpacked > max(_RATIO_CHECKED_FROM, entry.packed * MAX_RATIO) for entry in parsed):
        raise FileExpandsTooMuch
    return parsed


def content(file: IO[bytes], entry: Entry, *, limit: int) -> bytes:
    """Return the decompressed content of an entry, at most `limit` bytes of it."""
    data = bytearray()
    for piece in pieces(file, entry):
        data += piece
        if len(data) >= limit:
            break
    return bytes(data[:limit])


def check_sizes(file: IO[bytes], *, check_cancelled: Callable[[], None] = lambda: None) -> None:
    """Decompress everything and discard it: no entry may contain more than the table says.

    `entries` judges by the table only, but other programs may allocate by the actual content.
    """
    for entry in entries(file):
        check_cancelled()
        size = 0
        for piece in pieces(file, entry):
            size += len(piece)
            if size > entry.unpacked:
                raise FileExpandsTooMuch("The archive contains more than it declares.")


def _read_table(file: IO[bytes]) -> tuple[bytes, int, int]:
    """Return the table, the number of its entries, and the size of the file."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _MAX_COMMENT))
    tail = file.read(_END.size + _MAX_COMMENT)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + _END.size > len(tail):
        raise FileDamaged
    _, _, _, _, count, table_size, table_offset, _ = _END.unpack_from(tail, end)
    if count > MAX_ENTRIES or table_size > MAX_TABLE_BYTES:
        raise FileExpandsTooMuch
    file.seek(table_offset)
    return file.read(table_size), count, size


def _parse_entries(table: bytes, count: int) -> Iterator[Entry]:
    offset = 0
    for _ in range(count):
        if offset + _ENTRY.size > len(table):
            raise FileDamaged
        row = _ENTRY.unpack_from(table, offset)
        if row[0] != b"PK\x01\x02":
            raise FileDamaged
        name_size, extra_size, comment_size = row[10:13]
        offset += _ENTRY.size
        name = table[offset : offset + name_size]
        yield Entry(name, method=row[4], packed=row[8], unpacked=row[9], offset=row[16], flags=row[3])
        offset += name_size + extra_size + comment_size


def pieces(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    """Yield the content of an entry in pieces of bounded size; raise FileDamaged if it is not as described."""
    if entry.method not in (_STORED, _DEFLATED):
        raise FileDamaged
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    for piece in _read_packed(file, entry):
        if inflate is None:
            yield piece
            continue
        rest = piece
        while rest:
            try:
                yield inflate.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise FileDamaged from error
            rest = inflate.unconsumed_tail
        if inflate.eof:
            return


def _read_packed(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    file.seek(entry.offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(SIGNATURE):
        raise FileDamaged
    name_size, extra_size = _LOCAL.unpack(header)[9:11]
    offset, remaining = entry.offset + _LOCAL.size + name_size + extra_size, entry.packed
    while remaining > 0:
        file.seek(offset)
        piece = file.read(min(remaining, _CHUNK))
        if not piece:
            raise FileDamaged
        offset, remaining = offset + len(piece), remaining - len(piece)
        yield piece
