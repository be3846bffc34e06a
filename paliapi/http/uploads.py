"""Uploaded files, which are written to disk, counted and hashed while they arrive."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousMultipartForm
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest

from paliapi.errors import Invalid, TooLarge, Unavailable
from paliapi.units import MEBIBYTE


class DiskFull(Unavailable):
    code = "no_room"
    title = "There is no disk space for the file at the moment."


@contextmanager
def disk_errors_mapped() -> Iterator[None]:
    """Raise DiskFull for any failure to write to the disk, so that the client retries later."""
    try:
        yield
    except OSError as problem:
        raise DiskFull(retry_after_s=60) from problem


class TooManyFiles(Invalid):
    code = "too_many_files"
    title = "The form has too many files."


class ReceivedFile(TemporaryUploadedFile):
    """An upload on disk, with its sha256."""

    sha256: str = ""


class RefusingUploadHandler(FileUploadHandler):
    """Refuses large forms and forms with a file, before anything is written; for all views that take no files.

    The form is parsed to check its CSRF token, when it is not yet known who sends it.
    """

    def handle_raw_input(
        self,
        input_data: Any,  # noqa: ARG002 - the names are Django's
        META: Any,  # noqa: ARG002, N803
        content_length: int,
        boundary: Any,  # noqa: ARG002
        encoding: Any = None,  # noqa: ARG002
    ) -> None:
        if content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig

    def new_file(self, *_args: Any, **_kwargs: Any) -> None:
        raise SuspiciousMultipartForm("This form must not have a file.")


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Hashes each upload while it arrives, and refuses it as soon as it exceeds the size limit."""

    def __init__(self, request: HttpRequest | None = None, *, max_files: int = 1) -> None:
        super().__init__(request)
        self._max_files = max_files
        self._files = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self._files += 1
        if self._files > self._max_files:
            raise TooManyFiles(f"A form may have at most {self._max_files} here.")
        super().new_file(*args, **kwargs)
        self.file.close()
        self.file = ReceivedFile(self.file_name or "", self.content_type, 0, self.charset, self.content_type_extra)
        self._hash = hashlib.sha256()
        self._count = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._count += len(raw_data)
        if self._count > settings.ENV.max_upload_mb * MEBIBYTE:
            self._abort()
            raise TooLarge(f"A file may have at most {settings.ENV.max_upload_mb} MB.")
        self._hash.update(raw_data)
        try:
            with disk_errors_mapped():
                super().receive_data_chunk(raw_data, start)
        except DiskFull:
            self._abort()
            raise

    def _abort(self) -> None:
        with suppress(OSError):  # closing flushes, which fails again on a full disk
            self.file.close()

    def file_complete(self, file_size: int) -> "UploadedFile[Any] | None":
        received = super().file_complete(file_size)
        if isinstance(received, ReceivedFile):
            received.sha256 = self._hash.hexdigest()
        return received
