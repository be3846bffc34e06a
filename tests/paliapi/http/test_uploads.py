"""Uploads, which are hashed and limited while they arrive."""

import hashlib
from dataclasses import replace

import pytest
from pytest_django import Settings

from paliapi.errors import TooLarge
from paliapi.http.uploads import DiskFull, HashingUploadHandler, ReceivedFile, disk_errors_mapped
from paliapi.units import MEBIBYTE


@pytest.fixture
def handler(settings: Settings) -> HashingUploadHandler:
    settings.ENV = replace(settings.ENV, max_upload_mb=1)
    handler = HashingUploadHandler()
    handler.new_file("file", "a.pdf", "application/pdf", None)
    return handler


def test_file_is_hashed_while_it_arrives(handler: HashingUploadHandler) -> None:
    for chunk in (b"one ", b"two"):
        handler.receive_data_chunk(chunk, 0)
    file = handler.file_complete(7)
    assert isinstance(file, ReceivedFile)
    with file:
        assert file.sha256 == hashlib.sha256(b"one two").hexdigest()
        assert (file.size, file.read()) == (7, b"one two")


def test_file_of_maximum_size_is_accepted(handler: HashingUploadHandler) -> None:
    handler.receive_data_chunk(bytes(MEBIBYTE), 0)
    file = handler.file_complete(MEBIBYTE)
    assert file is not None
    with file:
        assert file.size == MEBIBYTE


def test_file_above_the_limit_is_refused_and_closed(handler: HashingUploadHandler) -> None:
    handler.receive_data_chunk(bytes(MEBIBYTE), 0)
    with pytest.raises(TooLarge, match="at most 1 MB"):
        handler.receive_data_chunk(b"x", MEBIBYTE)
    assert handler.file.closed


def test_full_disk_is_reported_as_temporary(handler: HashingUploadHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handler.file.file, "write", fail)
    with pytest.raises(DiskFull) as refused:
        handler.receive_data_chunk(b"x", 0)
    assert refused.value.retry_after_s == 60


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(ValueError, match="other"), disk_errors_mapped():
        raise ValueError("other")
