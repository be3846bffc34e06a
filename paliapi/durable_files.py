"""Files on a disk of our own: what is saved is on the disk, and not on its way there, when the call returns.

A row says that its file is there, and the database keeps rows through a loss of power; so must the files be kept.
"""

import os
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


class DurableFiles(FileSystemStorage):
    """Django's storage in a folder, which waits for the disk."""

    def _save(self, name: str, content: Any) -> str:
        saved = str(super()._save(name, content))  # type: ignore[misc]
        # The file, the folder that has its name, and those that have the names of folders, which may be new.
        place, top = Path(self.path(saved)), Path(self.location)
        _reach_the_disk(place)
        while place != top:
            place = place.parent
            _reach_the_disk(place)
        return saved


def _reach_the_disk(place: Path) -> None:
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
