"""A disk small enough to fill."""

import ctypes
import os
import subprocess
from pathlib import Path

_NEW_MOUNTS = 0x20000
SIZE_MB = 48


class SmallDisk:
    """An in-memory file system of limited size, visible only to this process and its children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    @classmethod
    def mounted(cls, folder: Path) -> "SmallDisk | None":
        """Mount it, or return None without the permission to mount (root)."""
        if os.geteuid() != 0 or ctypes.CDLL(None).unshare(_NEW_MOUNTS) != 0:
            return None
        folder.mkdir(parents=True)
        for words in (
            ("mount", "--make-rprivate", "/"),
            ("mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=700", "paliapi-chaos", str(folder)),
        ):
            if subprocess.run(words, check=False, capture_output=True).returncode != 0:
                return None
        return cls(folder)

    def unmount(self) -> None:
        words = ("umount", "--lazy", str(self.folder))
        subprocess.run(words, check=False)

    def fill(self) -> None:
        """Use up all free space."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(64 * 1024))
            except OSError:
                return

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)
