"""Uploads, which are hashed and limited while they arrive."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django import Settings

from paliapi.errors import TooLarge
from paliapi.http.uploads import DiskFull, HashingUploadHandler, ReceivedFile, disk_errors_mapped
from paliapi.units import MEBIBYTE
from tests.admin_client import AdminClient
from tests.cast import Someone


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


@pytest.fixture
def browser(db: None) -> AdminClient:
    """Return a browser with the CSRF cookie of the login page."""
    browser = AdminClient(enforce_csrf_checks=True)
    browser.get("/admin/login/")
    return browser


def login_form(browser: Client, **fields: Any) -> dict[str, Any]:
    return {
        "csrfmiddlewaretoken": browser.cookies[settings.CSRF_COOKIE_NAME].value,
        "username": "a",
        "password": "b",
        **fields,
    }


def test_file_in_a_form_of_the_admin_is_refused_before_it_is_written(
    browser: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "missing")
    assert browser.post("/admin/login/", login_form(browser)).status_code == 200
    form = login_form(browser, file=ContentFile(b"x", "a.pdf"))
    for client in (browser, AdminClient()):
        answer = client.post("/admin/login/", form)
        assert (answer.status_code, answer.json()["code"]) == (400, "unparsable")
    assert AdminClient(enforce_csrf_checks=True).post("/admin/login/", form).json()["code"] == "csrf_failed"


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_large_form_of_the_admin_is_refused_before_it_is_read(browser: Client, kind: str) -> None:
    answer = browser.generic("POST", "/admin/login/", b"x", kind, CONTENT_LENGTH="3000000")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/v1/documents/upsert-document/", "/v1/helpers/file-to-base64/"])
def test_form_with_a_second_file_is_refused(alice: Someone, path: str, settings: Settings, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    files = {name: ContentFile(b"x" * 100_000, f"{name}.txt") for name in ("file", "second", "third")}
    answer = alice.upload(path, {"name": "a", **files})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_files")
    assert list(tmp_path.iterdir()) == []


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(ValueError, match="other"), disk_errors_mapped():
        raise ValueError("other")
