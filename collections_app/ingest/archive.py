"""The files in a ZIP archive that was uploaded."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from django.conf import settings

from collections_app.engine.rendering import zip_check
from collections_app.engine.rendering.errors import FileEncrypted
from collections_app.ingest.accept import Upload
from collections_app.ingest.errors import ArchiveTooLong
from paliapi.errors import TooLarge
from paliapi.http.uploads import disk_errors_mapped
from paliapi.units import MEBIBYTE

MAX_FILES = 1000
# What programs add to archives, and is no document.
_IGNORED_FOLDER, _IGNORED_NAMES = "__MACOSX/", (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file in an archive; its name is its path there."""

    archive: IO[bytes]
    entry: zip_check.Entry

    @property
    def name(self) -> str:
        return self.entry.text_name

    @contextmanager
    def unpacked(self) -> Iterator[Upload]:
        """Yield the content as a file that exists during the block; raise an Error if it cannot be read."""
        if self.entry.is_encrypted:
            raise FileEncrypted
        digest, size, limit_mb = hashlib.sha256(), 0, settings.ENV.max_upload_mb
        # Unbuffered, so that a full disk raises while writing and not when the file is closed.
        with disk_errors_mapped():
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by the next statement
        with file:
            for piece in zip_check.pieces(self.archive, self.entry):
                size += len(piece)
                if size > limit_mb * MEBIBYTE:
                    raise TooLarge(f"A file may have at most {limit_mb} MB.")
                digest.update(piece)
                rest = memoryview(piece)
                with disk_errors_mapped():
                    while rest:
                        rest = rest[file.write(rest) :]
            yield Upload(file=file, sha256=digest.hexdigest(), size=size)


def files_in(archive: IO[bytes]) -> list[ArchivedFile]:
    """Return the files in an archive; raise an Error if it is none, or has too many."""
    every = [ArchivedFile(archive, entry) for entry in zip_check.entries(archive)]
    files = [file for file in every if not _is_ignored(file.name)]
    if len(files) > MAX_FILES:
        raise ArchiveTooLong(f"The archive has {len(files):,} files; at most {MAX_FILES:,} are accepted.")
    return files


def _is_ignored(name: str) -> bool:
    return name.endswith("/") or name.startswith(_IGNORED_FOLDER) or name.rpartition("/")[2] in _IGNORED_NAMES
