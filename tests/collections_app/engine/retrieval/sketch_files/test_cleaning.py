"""Files of collections that do not exist, and those of killed writers, are deleted; all others stay."""

import os
from pathlib import Path

from collections_app.engine.retrieval.sketch_files import cleaning


def put(root: Path, name: str, *, age: float = 0) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"1")
    os.utime(path, (path.stat().st_mtime - age,) * 2)
    return path


def test_only_files_that_no_process_needs_are_deleted(tmp_path: Path) -> None:
    kept = [
        put(tmp_path, name) for name in ("1/2/3/a.sketches", "1/2/3/new.part", "of-others/5/6/b", "1/notes", "loose")
    ]
    put(tmp_path, "1/2/3/old.part", age=10_000)
    put(tmp_path, "1/9/3/b.sketches")
    put(tmp_path, "7/8/3/c.sketches")
    assert cleaning.delete_unneeded(tmp_path, {1: [2, 4], 7: []}.__getitem__) == 3
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
    assert not (tmp_path / "7").exists()
    assert cleaning.delete_unneeded(tmp_path / "nowhere", lambda _: []) == 0


def test_collection_is_deleted_with_its_files_alone(tmp_path: Path) -> None:
    put(tmp_path, "1/2/3/a.sketches")
    kept = put(tmp_path, "1/22/3/a.sketches")
    cleaning.delete_collection(tmp_path, owner_id=1, collection_id=2)
    cleaning.delete_collection(tmp_path, owner_id=1, collection_id=2)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]
