"""Deletion of files of sketches that no process needs. Processes that have mapped one of them can go on."""

import shutil
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from collections_app.engine.retrieval.sketch_files.block_file import TEMPORARY
from collections_app.engine.retrieval.sketch_files.shared_folder import delete

_WRITING_S = 3600  # no process takes so long for one file


def delete_collection(root: Path, *, owner_id: int, collection_id: int) -> None:
    """Delete the files of a collection."""
    shutil.rmtree(root / str(owner_id) / str(collection_id), ignore_errors=True)


def delete_unneeded(root: Path, collections_of: Callable[[int], Collection[int]]) -> int:
    """Delete the files of collections that do not exist, and what killed processes left; return how many deletions.

    The collections of an owner are asked for after the folders were listed, so those of new ones are not deleted.
    """
    count = 0
    for owner_id, owner_folder in _numbered(root):
        folders = dict(_numbered(owner_folder))
        existing = set(collections_of(owner_id))
        for collection_id, folder in folders.items():
            if collection_id not in existing:
                delete_collection(root, owner_id=owner_id, collection_id=collection_id)
                count += 1
            else:
                count += _delete_abandoned(folder)
        if not existing:
            shutil.rmtree(owner_folder, ignore_errors=True)
    return count


def _delete_abandoned(folder: Path) -> int:
    """Delete files that were begun long ago."""
    count = 0
    for path in folder.glob(f"*/*{TEMPORARY}"):
        try:
            abandoned = path.stat().st_mtime < time.time() - _WRITING_S
        except OSError:
            continue
        if abandoned:
            delete(path)
            count += 1
    return count


def _numbered(folder: Path) -> Iterator[tuple[int, Path]]:
    try:
        paths = list(folder.iterdir())
    except OSError:
        return
    for path in paths:
        if path.name.isascii() and path.name.isdecimal() and path.is_dir() and not path.is_symlink():
            yield int(path.name), path
