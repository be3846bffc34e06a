"""One file of sketches: a block of a segment as it is in memory, so that it is mapped and not parsed.

A file has a header of one page and sections of words in the byte order of the machine: the coarse sketches, which every
search reads, then the ids, then the fine sketches. It is written under a temporary name, published under its own when
complete, and never changed. Its header states the collection and space that it belongs to, and the checksum of all
sections, which is in its name too. A file that disagrees in anything is not used.
"""

import mmap
import os
import re
import stat
import struct
import tempfile
import zlib
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from collections_app.engine.retrieval.arrays import MAX_SKETCH_VECTORS, WORDS_AT_ONCE, Bytes, Numbers, Words
from collections_app.engine.retrieval.files.mapped_file import MappedFile, fingerprint
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.parallel import run_in_chunks
from collections_app.engine.retrieval.segment import Block, RevisionTable
from collections_app.engine.retrieval.sketch_scan import Codes, LoadedSketches, words_per_vector

FORMAT = 1  # of the sections; another arrangement of sketches needs another number
TEMPORARY = ".part"
_MAGIC = int.from_bytes(b"PaliSkch")  # reads differently in the other byte order
_HEADER = struct.Struct("=QQ7Q4QQ")
_CRC = struct.Struct("=Q")
_HEADER_BYTES = 4096
_ALIGNED = 8  # words, so that a section begins with a cache line
_CHECKED_AT_ONCE = 1 << 17  # words, a mebibyte
_NAME = re.compile(r"(\d{1,19})-(\d{1,19})-(\d{1,19})-(\d{1,19})-([0-9a-f]{16})\.sketches")


class UnusableFile(Exception):
    """A file that is not what its name says; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a file belongs to. Sketches that were stored before `sketches_seq` must not be used."""

    owner_id: int
    collection_id: int
    space_id: int
    dim: int
    sketches_seq: int


@dataclass(frozen=True, slots=True)
class FileName:
    """What the name of a file says about it."""

    path: Path
    sketches_seq: int
    vectors_seq: int
    pages: int
    checksum: int

    @classmethod
    def parse(cls, path: Path) -> "FileName | None":
        match = _NAME.fullmatch(path.name)
        if match is None:
            return None
        sketches_seq, vectors_seq, _, pages = map(int, match.groups()[:4])
        return cls(path, sketches_seq, vectors_seq, pages, int(match[5], 16))


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The numbers of words of the sections, in their order."""

    coarse: int
    fine: int
    pages: int
    revisions: int

    def sections(self) -> list[int]:
        ids = [self.pages + 1, self.pages, self.pages, self.revisions, self.revisions, self.pages + 1]
        return [self.coarse, *ids, self.fine]

    def offsets(self) -> list[int]:
        """Return where each section begins and, at last, where the last one ends, in words after the header."""
        return list(accumulate((size + -size % _ALIGNED for size in self.sections()), initial=0))


@dataclass(frozen=True, slots=True, eq=False)
class BlockFile:
    """A mapped file. Its ids may be looked at; before anything is searched, `verify` must have succeeded."""

    file: MappedFile
    name: FileName
    dim: int
    words: Words
    page_ids: Numbers
    revision_ids: Numbers
    table_ids: Numbers
    table_created: Numbers
    sketches: LoadedSketches

    def rows_of(self, shown: RevisionTable) -> Numbers:
        """Return the rows of the revisions that are shown and entirely in this file."""
        if not len(shown.revision_ids):
            return np.empty(0, dtype=np.int64)
        places = np.searchsorted(shown.revision_ids, self.table_ids).clip(max=len(shown.revision_ids) - 1)
        same = (shown.revision_ids[places] == self.table_ids) & (shown.created[places] == self.table_created)
        return np.flatnonzero(np.isin(self.revision_ids, self.table_ids[same]))

    def block(self, rows: Numbers) -> Block:
        """Return the block, with ids in memory: they are needed even if the file is damaged later."""
        return Block(self.page_ids.copy(), self.revision_ids.copy(), self.sketches, rows, self.file)

    def verify(self) -> None:
        """Raise UnusableFile unless the contents have the checksum of the name and can be scanned safely."""
        if _checksum([self.words]) != self.name.checksum:
            raise UnusableFile("checksum")
        for codes in (self.sketches.fine, self.sketches.coarse):
            sizes = np.diff(codes.starts)
            each = words_per_vector(self.dim)
            sound = codes.starts[0] == 0 and int(codes.starts[-1]) * each == len(codes.words)
            if not sound or sizes.min() < 1 or sizes.max() > MAX_SKETCH_VECTORS or (sizes % WORDS_AT_ONCE).any():
                raise UnusableFile("sections")


def write(folder: Path, label: Label, vectors_seq: int, block: Block, complete: RevisionTable) -> FileName:
    """Write a block, of whose revisions those of the table are complete, and return the name of the file.

    If a correct file of that name exists, it stays. Raises OSError, and then leaves nothing behind, unless the process
    is killed.
    """
    coarse, fine = block.sketches.coarse, block.sketches.fine
    tables = (coarse.starts, block.page_ids, block.revision_ids, complete.revision_ids, complete.created, fine.starts)
    sections = [_padded(section) for section in (coarse.words, *tables, fine.words)]
    sizes = _Sizes(len(coarse.words), len(fine.words), len(block.page_ids), len(complete.revision_ids))
    checksum = _checksum(sections)
    first = int(block.page_ids.min(initial=2**62))
    name = f"{label.sketches_seq}-{vectors_seq}-{first}-{sizes.pages}-{checksum:016x}.sketches"
    parsed = FileName(folder / name, label.sketches_seq, vectors_seq, sizes.pages, checksum)
    descriptor, temporary = tempfile.mkstemp(suffix=TEMPORARY, dir=folder)  # readable by this user alone
    try:
        try:
            _write_all(descriptor, np.frombuffer(_header(label, vectors_seq, sizes, checksum), dtype=np.uint8))
            for section in sections:
                _write_all(descriptor, section.view(np.uint8))
        finally:
            os.close(descriptor)
        _publish(Path(temporary), parsed, label)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return parsed


def open_file(name: FileName, label: Label) -> BlockFile:
    """Map a file, checking its header and size but not its contents; raise UnusableFile, or OSError."""
    if name.path.is_symlink():
        raise UnusableFile("no file of ours")
    descriptor = os.open(name.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise UnusableFile("no file of ours")
        sizes = _sizes(os.pread(descriptor, _HEADER_BYTES, 0), label, name)
        *offsets, end = sizes.offsets()
        if status.st_size != _HEADER_BYTES + 8 * end:
            raise UnusableFile("size")
        data = mmap.mmap(descriptor, status.st_size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)
    words = np.frombuffer(data, dtype=np.uint64, offset=_HEADER_BYTES)
    pairs = zip(offsets, sizes.sections(), strict=True)
    coarse, *tables, fine = (words[offset : offset + size] for offset, size in pairs)
    coarse_starts, page_ids, revision_ids, ids, created, fine_starts = (table.view(np.int64) for table in tables)
    sketches = LoadedSketches(label.dim, Codes(fine, fine_starts), Codes(coarse, coarse_starts))
    file = MappedFile(name.path, fingerprint(status))
    return BlockFile(file, name, label.dim, words, page_ids, revision_ids, ids, created, sketches)


def _publish(temporary: Path, name: FileName, label: Label) -> None:
    """Give a complete file its name, unless another process has already put a correct one there."""
    try:
        os.link(temporary, name.path)
    except FileExistsError:
        try:
            open_file(name, label).verify()
        except (OSError, UnusableFile):
            temporary.replace(name.path)
    except OSError:  # a file system without links
        temporary.replace(name.path)


def _header(label: Label, vectors_seq: int, sizes: _Sizes, checksum: int) -> bytes:
    belongs = (label.owner_id, label.collection_id, label.space_id, label.dim, label.sketches_seq, vectors_seq, 0)
    counts = (sizes.coarse, sizes.fine, sizes.pages, sizes.revisions)
    header = _HEADER.pack(_MAGIC, FORMAT, *belongs, *counts, checksum)
    return (header + _CRC.pack(zlib.crc32(header))).ljust(_HEADER_BYTES, b"\0")


def _sizes(header: bytes, label: Label, name: FileName) -> _Sizes:
    """Return what the header says about the sections; raise UnusableFile if it is not of this label and name."""
    if len(header) < _HEADER_BYTES:
        raise UnusableFile("size")
    magic, version, *rest = _HEADER.unpack_from(header)
    if magic != _MAGIC or _CRC.unpack_from(header, _HEADER.size) != (zlib.crc32(header[: _HEADER.size]),):
        raise UnusableFile("header")
    if version != FORMAT:
        raise UnusableFile("format")
    *belongs, coarse, fine, pages, revisions, checksum = rest
    label_of_file = Label(*belongs[:5])
    if label_of_file != label or (belongs[4], belongs[5], pages, checksum) != (
        name.sketches_seq,
        name.vectors_seq,
        name.pages,
        name.checksum,
    ):
        raise UnusableFile("label")
    if not pages:
        raise UnusableFile("header")
    return _Sizes(coarse, fine, pages, revisions)


def _padded(section: Words | Numbers) -> Words:
    """Return the section as words, a whole number of cache lines; without a copy if it is one already."""
    words = np.ascontiguousarray(section).view(np.uint64)
    rest = -len(words) % _ALIGNED
    return np.concatenate([words, np.zeros(rest, dtype=np.uint64)]) if rest else words


def _checksum(sections: list[Words]) -> int:
    """Return the checksum of the sections as if they were one, computed in parallel."""
    pieces = list(_pieces(sections))
    checksums = np.empty(len(pieces), dtype=np.uint64)

    def work(start: int, stop: int) -> None:
        for number in range(start, stop):
            checksums[number] = dispatch.checksum(pieces[number])

    run_in_chunks(work, len(pieces), size=1)
    return int(dispatch.checksum(checksums))


def _pieces(sections: list[Words]) -> list[Words]:
    """Cut the concatenation of the sections into pieces of equal size; only pieces across a border are copied."""
    pieces: list[Words] = []
    begun: list[Words] = []
    room = _CHECKED_AT_ONCE
    for section in sections:
        start = 0
        while start < len(section):
            part = section[start : start + room]
            begun.append(part)
            start, room = start + len(part), room - len(part)
            if not room:
                pieces.append(begun[0] if len(begun) == 1 else np.concatenate(begun))
                begun, room = [], _CHECKED_AT_ONCE
    return [*pieces, np.concatenate(begun)] if begun else pieces


def _write_all(descriptor: int, data: Bytes) -> None:
    while len(data):
        data = data[os.write(descriptor, data.data) :]
