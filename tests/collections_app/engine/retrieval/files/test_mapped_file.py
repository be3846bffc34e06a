"""A mapped file is unchanged until its contents, size or name are."""

import os
from pathlib import Path

import pytest

from collections_app.engine.retrieval.files.mapped_file import MappedFile, fingerprint


@pytest.mark.parametrize("change", ["truncated", "written", "replaced", "deleted", "link"])
def test_every_change_is_noticed(tmp_path: Path, change: str) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    for each in (path, other):
        each.write_bytes(b"12345678")
        os.utime(each, ns=(1, 1))
    file = MappedFile(path, fingerprint(path.stat()))
    assert file.is_unchanged()
    if change == "truncated":
        os.truncate(path, 3)
    elif change == "written":
        path.write_bytes(b"87654321")
    elif change == "replaced":
        other.replace(path)
    else:
        path.unlink()
        if change == "link":
            path.symlink_to(other)
    assert not file.is_unchanged()
