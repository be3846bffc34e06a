"""Files as they arrive: written to disk in chunks, counted and hashed on the way."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from paliapi.errors import TooLarge, Unavailable
from paliapi.units import MEBIBYTE


class NoRoom(Unavailable):
    code = "no_room"
    title = "There is no room for the file at the moment."


@contextmanager
def needing_room() -> Iterator[None]:
    """A full disk is our trouble and passes; the caller may come back."""
    try:
        yield
    except OSError as problem:
        raise NoRoom(retry_after_s=60) from problem


class ReceivedFile(TemporaryUploadedFile):
    """An upload on disk, whose sha256 is already known."""

    sha256: str = ""


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Stops a file that is too large at the first byte too many."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file.close()
        self.file = ReceivedFile(self.file_name or "", self.content_type, 0, self.charset, self.content_type_extra)
        self._hash = hashlib.sha256()
        self._count = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._count += len(raw_data)
        if self._count > settings.ENV.max_upload_mb * MEBIBYTE:
            self._give_up()
            raise TooLarge(f"A file may have at most {settings.ENV.max_upload_mb} MB.")
        self._hash.update(raw_data)
        try:
            with needing_room():
                super().receive_data_chunk(raw_data, start)
        except NoRoom:
            self._give_up()
            raise

    def _give_up(self) -> None:
        with suppress(OSError):  # what could not be written before cannot be written now
            self.file.close()

    def file_complete(self, file_size: int) -> "UploadedFile[Any] | None":
        received = super().file_complete(file_size)
        if isinstance(received, ReceivedFile):
            received.sha256 = self._hash.hexdigest()
        return received
