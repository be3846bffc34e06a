"""The endpoints that convert files."""

import base64
from dataclasses import replace

from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from accounts.limits.process_slots import process_slot
from tests.cast import Someone
from tests.collections_app.documents import PNG

IMAGES = "/v1/helpers/file-to-imgbase64/"
BASE64 = "/v1/helpers/file-to-base64/"


def test_file_is_converted_to_png_page_images(alice: Someone) -> None:
    response = alice.upload(IMAGES, {"file": SimpleUploadedFile("scan.png", PNG)})
    assert response.status_code == 200, response.content
    (page,) = response.json()
    assert page["page_number"] == 1
    assert base64.b64decode(page["img_base64"]).startswith(b"\x89PNG")


def test_file_is_converted_to_base64(alice: Someone) -> None:
    response = alice.upload(BASE64, {"file": SimpleUploadedFile("scan.png", PNG)})
    assert base64.b64decode(response.json()["data"]) == PNG


def test_conversions_need_the_scope_write(bob: Someone) -> None:
    for path in (IMAGES, BASE64):
        response = bob.upload(path, {"file": SimpleUploadedFile("scan.png", PNG)})
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


def test_unsupported_file_is_rejected(alice: Someone) -> None:
    response = alice.upload(IMAGES, {"file": SimpleUploadedFile("scan.png", b"\x00\x01\x02")})
    assert (response.status_code, response.json()["code"]) == (422, "unsupported_type")


def test_conversions_of_all_owners_are_limited(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, web_threads=4)
    with process_slot("conversion", limit=1):
        refused = alice.upload(IMAGES, {"file": SimpleUploadedFile("scan.png", PNG)})
        assert (refused.status_code, refused.json()["code"]) == (503, "conversions_busy")
        assert refused["Retry-After"]
        assert alice.upload(BASE64, {"file": SimpleUploadedFile("scan.png", PNG)}).status_code == 200
    assert alice.upload(IMAGES, {"file": SimpleUploadedFile("scan.png", PNG)}).status_code == 200
