"""The table of contents of a ZIP archive, and whether it says the truth.

It is read by hand, with limits, because it comes from strangers and describes itself.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from collections_app.engine.rendering.errors import FileDamaged, FileExpandsTooMuch

MAX_ENTRIES = 10_000
MAX_TABLE = 4 * 1024 * 1024
MAX_EXPANDED = 512 * 1024 * 1024
# Large tables of little content are packed to a hundredth; what goes beyond this is made to hurt.
MAX_RATIO = 250
_RATIO_MATTERS_FROM = 32 * 1024 * 1024

# The end record, one entry of the central directory, and the header in front of an entry's bytes.
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 65_535
_STORED, _DEFLATED = 0, 8
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the archive, as the table has it."""

    name: bytes
    method: int
    packed: int
    unpacked: int
    place: int


def entries(file: IO[bytes]) -> list[Entry]:
    """All of them; FileDamaged, or FileExpandsTooMuch where the table itself says so."""
    table, count, size = _table(file)
    found = list(_entries(table, count))
    if sum(entry.packed for entry in found) > size:
        raise FileDamaged  # the same bytes are given out several times
    if sum(entry.unpacked for entry in found) > MAX_EXPANDED:
        raise FileExpandsTooMuch
    if any(entry.unpacked > max(_RATIO_MATTERS_FROM, entry.packed * MAX_RATIO) for entry in found):
        raise FileExpandsTooMuch
    return found


def _entries(table: bytes, count: int) -> Iterator[Entry]:
    place = 0
    for _ in range(count):
        if place + _ENTRY.size > len(table):
            raise FileDamaged
        row = _ENTRY.unpack_from(table, place)
        if row[0] != b"PK\x01\x02":
            raise FileDamaged
        name_size, extra_size, comment_size = row[10:13]
        place += _ENTRY.size
        yield Entry(table[place : place + name_size], method=row[4], packed=row[8], unpacked=row[9], place=row[16])
        place += name_size + extra_size + comment_size


def _table(file: IO[bytes]) -> tuple[bytes, int, int]:
    """The table, how many entries it has, and the size of the file."""
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
    return file.read(table_size), count, size


def content(file: IO[bytes], entry: Entry, *, most: int) -> bytes:
    """The entry unpacked, or so much of it."""
    found = bytearray()
    for piece in _unpacked(file, entry):
        found += piece
        if len(found) >= most:
            break
    return bytes(found[:most])


def check_truth(file: IO[bytes], *, still_wanted: Callable[[], None] = lambda: None) -> None:
    """Unpack everything into nothing: no entry may hold more than the table says.

    The table alone is what `entries` judges, and other programs may not ask it how much memory they will need.
    """
    for entry in entries(file):
        still_wanted()
        size = 0
        for piece in _unpacked(file, entry):
            size += len(piece)
            if size > entry.unpacked:
                raise FileExpandsTooMuch("The file holds more than it says.")


def _unpacked(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    """The bytes of an entry, in pieces of bounded size."""
    if entry.method not in (_STORED, _DEFLATED):
        raise FileDamaged
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    for piece in _packed(file, entry):
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


def _packed(file: IO[bytes], entry: Entry) -> Iterator[bytes]:
    file.seek(entry.place)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise FileDamaged
    name_size, extra_size = _LOCAL.unpack(header)[9:11]
    place, left = entry.place + _LOCAL.size + name_size + extra_size, entry.packed
    while left > 0:
        file.seek(place)
        piece = file.read(min(left, _CHUNK))
        if not piece:
            raise FileDamaged
        place, left = place + len(piece), left - len(piece)
        yield piece
