"""File storage on the local disk that has reached the disk when a call returns.

The database keeps the row of a file through a power loss, so the file must survive it too.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


class DurableFiles(FileSystemStorage):
    """Django's file system storage, with an fsync of every new file and its folders."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Folders whose own entries have reached the disk, by device and inode.
        self._durable_folders: set[tuple[int, int]] = set()

    def save_together(self, contents: Sequence[tuple[str, Any]]) -> None:
        """Save several files, each under a name that is not taken. All are written before the first fsync.

        The disk then writes them together: the first fsync takes most of the time, and each folder needs only one.
        """
        saved: list[str] = []
        try:
            for name, content in contents:
                saved.append(str(super()._save(name, content)))  # type: ignore[misc]
                if saved[-1] != name:
                    raise FileExistsError(name)
            self._sync(saved)
        except BaseException:
            for name in saved:
                self.delete(name)
            raise

    def _save(self, name: str, content: Any) -> str:
        saved = str(super()._save(name, content))  # type: ignore[misc]
        self._sync([saved])
        return saved

    def _sync(self, names: Sequence[str]) -> None:
        """Wait until the files, their folders, and the folders above, which may be new, have reached the disk."""
        paths = [Path(self.path(name)) for name in names]
        for path in paths:
            _fsync(path)
        root = Path(self.location)
        for folder in dict.fromkeys(path.parent for path in paths):
            new = [_fsync(folder)]
            above = folder
            while above != root and new[-1] not in self._durable_folders:
                above = above.parent
                new.append(_fsync(above))
            self._durable_folders.update(new)


def _fsync(path: Path) -> tuple[int, int]:
    """Return the device and the inode of what was synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return status.st_dev, status.st_ino
