"""The files of one folder, for the processes that search: which blocks are read from them, and which are written.

Every process chooses in the same way among the files that it finds: the largest first, each for the pages that no
larger one has. So processes that loaded a collection in different steps come to share the same files.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import structlog

from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.segment import Block, RevisionTable, Segment
from collections_app.engine.retrieval.sketch_files import block_file
from collections_app.engine.retrieval.sketch_files.block_file import BlockFile, FileName, Label, UnusableFile

log = structlog.get_logger(__name__)

MIN_PAGES = 1024
"""Smaller blocks stay in memory, where they soon become part of a larger one."""

_PAUSE_S = 60
_FOLDER_MODE = 0o700
_NONE: Numbers = np.empty(0, dtype=np.int64)


class FolderFull(OSError):
    """All files together have reached the limit."""


@dataclass(slots=True)
class SharedFolder:
    """Adopts and stores blocks. Whatever is wrong with folder or files, segments only stay in memory."""

    min_pages: int = MIN_PAGES
    _resting_until: float = field(default=0.0, init=False)

    def adopt(self, segment: Segment, shown: RevisionTable, root: Path, label: Label) -> Segment:
        """Return the segment with the blocks that other processes have stored of the collection."""
        if self._pages_without_file(segment, shown) < self.min_pages:
            return segment
        mapped = {block.file.path for block in segment.blocks if block.file}
        names = [name for name in _names(root, label) if name.sketches_seq == label.sketches_seq]
        files = [file for name in names if name.path not in mapped and (file := _opened(name, label)) is not None]
        return _combined(segment, shown, files) if files else segment

    def store(self, segment: Segment, root: Path, label: Label, *, max_bytes: int) -> Segment:
        """Return the segment with its large blocks in files, and delete the files that it replaces."""
        large = [block for block in segment.blocks if not block.file and len(block.rows) >= self.min_pages]
        if not large or not max_bytes or time.monotonic() < self._resting_until:
            return segment
        before = list(_names(root, label))
        stored: dict[int, Block] = {}
        try:
            for block in large:
                stored[id(block)] = _stored(block, segment, root, label, max_bytes=max_bytes)
        except (OSError, UnusableFile) as problem:
            self._resting_until = time.monotonic() + _PAUSE_S
            log.warning("sketch_files_unusable", folder=str(root), error=str(problem))
        segment = replace(segment, blocks=tuple(stored.get(id(block), block) for block in segment.blocks))
        _delete_replaced(segment, before, label)
        return segment

    def _pages_without_file(self, segment: Segment, shown: RevisionTable) -> int:
        missing = shown.page_counts[~np.isin(shown.revision_ids, segment.loaded_revisions())].sum()
        return int(missing) + sum(len(block.rows) for block in segment.blocks if not block.file)


@dataclass(frozen=True, slots=True, eq=False)
class _Offer:
    """A block that a segment may have: its own, or one of a file that it has not mapped yet."""

    block: Block
    new: BlockFile | None = None

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Blocks in files come first, and large ones; the path makes all processes choose the same."""
        file = self.block.file
        return file is not None, len(self.block.rows), str(file.path) if file else ""

    def without(self, revision_ids: Numbers) -> "_Offer":
        return replace(self, block=self.block.without(revision_ids)) if len(revision_ids) else self

    def is_worthwhile(self) -> bool:
        """Return whether the block has pages; if its file is new, whether half of its pages are used, and correct."""
        count = len(self.block.rows)
        if self.new is None or not count:
            return count > 0
        return 2 * count >= len(self.block.page_ids) and _verified(self.new)


def _combined(segment: Segment, shown: RevisionTable, files: list[BlockFile]) -> Segment:
    """Choose among the segment's own blocks and those of the files."""
    loaded = np.intersect1d(segment.loaded_revisions(), shown.revision_ids)
    offers = [_Offer(block.of_shown(loaded)) for block in segment.blocks]
    offers += [_Offer(file.block(file.rows_of(shown)), file) for file in files]
    chosen: list[Block] = []
    covered, adopted = _NONE, _NONE
    for each in sorted(offers, key=lambda offer: offer.rank, reverse=True):
        offer = each.without(covered)
        if offer.is_worthwhile():
            chosen.append(offer.block)
            revisions = np.unique(offer.block.revision_ids[offer.block.rows])
            covered = np.concatenate([covered, revisions])
            adopted = np.concatenate([adopted, revisions]) if offer.new is not None else adopted
    known = shown.among(np.concatenate([segment.revisions.revision_ids, adopted]))
    return Segment(segment.seq, known, tuple(chosen), segment.unsketched.without(adopted))


def _stored(block: Block, segment: Segment, root: Path, label: Label, *, max_bytes: int) -> Block:
    """Return the block in a file that has nothing of hidden pages."""
    block = block.without_hidden_pages()
    folder = folder_of(root, label)
    _make_private(root, folder)
    if _size(root) + block.sketches.nbytes > max_bytes:
        raise FolderFull(f"all files have {max_bytes} bytes at most")
    complete = segment.revisions.among(np.intersect1d(segment.loaded_revisions(), block.revision_ids[block.rows]))
    name = block_file.write(folder, label, segment.seq, block, complete)
    file = block_file.open_file(name, label)
    log.info("sketch_file_written", file=str(name.path), pages=name.pages)
    return file.block(block.rows)


def _delete_replaced(segment: Segment, names: list[FileName], label: Label) -> None:
    """Delete files with nothing that the segment lacks in its own files, unless they may be newer than the segment."""
    used = {block.file.path for block in segment.blocks if block.file}
    rows = [block.revision_ids[block.rows] for block in segment.blocks if block.file]
    lacking = segment.revisions.without(np.unique(np.concatenate([_NONE, *rows])))
    for name in names:
        if name.path in used:
            continue
        outdated = name.sketches_seq < label.sketches_seq
        if not outdated and name.vectors_seq <= segment.seq:
            file = _opened(name, label)
            outdated = file is not None and not len(file.rows_of(lacking))
        if outdated:
            delete(name.path)


def folder_of(root: Path, label: Label) -> Path:
    return root / str(label.owner_id) / str(label.collection_id) / str(label.space_id)


def delete(path: Path) -> None:
    """Delete a file if that is possible; processes that have mapped it can go on."""
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        log.warning("sketch_file_not_deleted", file=str(path), error=str(problem))


def _names(root: Path, label: Label) -> Iterator[FileName]:
    try:
        paths = sorted(folder_of(root, label).iterdir())
    except OSError:
        return
    for path in paths:
        if (name := FileName.parse(path)) is not None:
            yield name


def _opened(name: FileName, label: Label) -> BlockFile | None:
    try:
        return block_file.open_file(name, label)
    except FileNotFoundError:
        return None  # another process has replaced it
    except OSError as problem:  # too many open files, for example
        log.warning("sketch_file_not_opened", file=str(name.path), error=str(problem))
        return None
    except UnusableFile as problem:
        _reject(name, problem)
        return None


def _verified(file: BlockFile) -> bool:
    try:
        file.verify()
    except UnusableFile as problem:
        _reject(file.name, problem)
        return False
    return True


def _reject(name: FileName, problem: Exception) -> None:
    log.warning("sketch_file_rejected", file=str(name.path), reason=str(problem))
    delete(name.path)


def _make_private(root: Path, folder: Path) -> None:
    """Create the folder, and check that no other user can put files there."""
    for each in (root, *reversed([parent for parent in folder.parents if root in parent.parents]), folder):
        each.mkdir(mode=_FOLDER_MODE, exist_ok=True, parents=each == root)
    status = root.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{root} belongs to another user, or others can write to it")


def _size(folder: Path) -> int:
    """Return the size of all files below the folder."""
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                size += _size(Path(entry.path)) if entry.is_dir(follow_symlinks=False) else entry.stat().st_size
            except OSError:
                continue  # just deleted
    return size
