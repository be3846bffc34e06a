"""A file is used only if it is complete, unchanged and of the right collection."""

import os
import resource
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collections_app.engine.retrieval.segment import Block, RevisionTable
from collections_app.engine.retrieval.sketch_files import block_file
from collections_app.engine.retrieval.sketch_files.block_file import FileName, Label, UnusableFile
from paliapi.env import ROOT
from tests.collections_app.engine.retrieval.test_segment import DIM, block, numbers, table
from tests.collections_app.engine.retrieval.test_sketch_scan import same
from tests.environment import compiled_here

LABEL = Label(owner_id=1, collection_id=2, space_id=3, dim=DIM, sketches_seq=4)
SHOWN = {7: [700, 701], 8: [800]}
BLOCK = block(7, SHOWN[7]).joined(block(8, SHOWN[8]))


def written(
    folder: Path, label: Label = LABEL, stored: Block = BLOCK, complete: RevisionTable | None = None
) -> FileName:
    return block_file.write(folder, label, 5, stored, complete or table(SHOWN))


def opened(name: FileName, label: Label = LABEL) -> Block:
    file = block_file.open_file(name, label)
    file.verify()
    return file.block(file.rows_of(table(SHOWN)))


def test_block_is_read_back_read_only_with_only_ids_in_memory(tmp_path: Path) -> None:
    name = written(tmp_path)
    loaded = opened(name)
    assert FileName.parse(name.path) == name
    assert same(loaded.sketches, BLOCK.sketches)
    assert (loaded.page_ids.tolist(), loaded.revision_ids.tolist()) == ([700, 701, 800], [7, 7, 8])
    assert loaded.nbytes == 3 * loaded.rows.nbytes
    assert not loaded.sketches.coarse.words.flags.writeable
    assert stat.S_IMODE(name.path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [name.path]


def test_only_revisions_that_are_complete_and_not_of_another_time_have_rows(tmp_path: Path) -> None:
    file = block_file.open_file(written(tmp_path, complete=table({8: [800]})), LABEL)
    assert file.rows_of(table(SHOWN)).tolist() == [2]
    after_restore = replace(table(SHOWN), created=numbers(1007, 5))
    assert file.rows_of(after_restore).tolist() == file.rows_of(table({})).tolist() == []


@pytest.mark.parametrize("field", ["owner_id", "collection_id", "space_id", "dim", "sketches_seq"])
def test_file_of_another_label_is_refused(tmp_path: Path, field: str) -> None:
    other = replace(LABEL, **{field: 99})
    name = written(tmp_path, other)
    if field == "sketches_seq":
        renamed = name.path.with_name(name.path.name.replace("99-", "4-", 1))
        name.path.rename(renamed)
        name = FileName.parse(renamed) or name
    with pytest.raises(UnusableFile, match="label"):
        block_file.open_file(name, LABEL)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: os.truncate(path, 0), "size"),
        (lambda path: os.truncate(path, 4096), "size"),
        (lambda path: os.truncate(path, path.stat().st_size - 1), "size"),
        (lambda path: path.write_bytes(path.read_bytes() + b"1"), "size"),
        (lambda path: path.write_bytes(np.random.default_rng(1).bytes(path.stat().st_size)), "header"),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), "header"),
        (lambda path: flip(path, 8), "header"),
        (lambda path: flip(path, 4096), "checksum"),
        (lambda path: flip(path, path.stat().st_size - 70), "checksum"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "no file of ours"),
        (pipe, "no file of ours"),
    ],
)
def test_damaged_file_is_refused_and_replaced(tmp_path: Path, damage: object, reason: str) -> None:
    name = written(tmp_path)
    assert callable(damage)
    damage(name.path)
    with pytest.raises(UnusableFile, match=reason):
        opened(name)
    assert written(tmp_path) == name
    assert same(opened(name).sketches, BLOCK.sketches)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_file_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(block_file, "FORMAT", block_file.FORMAT + 1)
        name = written(tmp_path)
    with pytest.raises(UnusableFile, match="format"):
        opened(name)


def test_correct_file_stays_when_the_same_is_written_again(tmp_path: Path) -> None:
    name = written(tmp_path)
    inode = name.path.stat().st_ino
    assert written(tmp_path) == name
    assert name.path.stat().st_ino == inode


def test_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """A limit of the file size stands in for a full disk: the write fails half-way in the same place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096 + 100, hard))
    try:
        with pytest.raises(OSError, match="large"):
            written(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from collections_app.engine.retrieval.sketch_files import block_file
from tests.collections_app.engine.retrieval.sketch_files.test_block_file import written
write_all = block_file._write_all
def write_half(descriptor, data):
    write_all(descriptor, data[: len(data) // 2])
    os.kill(os.getpid(), 9)
block_file._write_all = write_half
written(Path(sys.argv[1]))
"""


def test_killed_writer_leaves_only_a_temporary_file(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, env=compiled_here(), check=False, timeout=60
    )
    assert process.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(block_file.TEMPORARY)
    assert FileName.parse(left) is None
