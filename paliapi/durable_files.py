"""File storage on the local disk that has reached the disk when a call returns.

The database keeps the row of a file through a power loss, so the file must survive it too.
"""

import os
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


class DurableFiles(FileSystemStorage):
    """Django's file system storage, with an fsync of every new file and its folders."""

    def _save(self, name: str, content: Any) -> str:
        saved = str(super()._save(name, content))  # type: ignore[misc]
        # The file, its folder, and the folders above, which may be new.
        target, root = Path(self.path(saved)), Path(self.location)
        _fsync(target)
        while target != root:
            target = target.parent
            _fsync(target)
        return saved


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
