"""Responses that serve stored files."""

from contextlib import closing

import pytest

from accounts.ownership import acting_as_staff
from collections_app.models import StoredFile
from collections_app.storage import files
from collections_app.storage.responses import file_response, thumbnail_response
from paliapi.errors import NotFound
from tests.cast import Someone
from tests.collections_app.documents import PNG, THUMBNAIL, body_of, shown_with_pages


@pytest.fixture
def image(alice: Someone) -> StoredFile:
    shown_with_pages(alice, "report.pdf", pages=1)
    with acting_as_staff():
        return StoredFile.objects.get(content_type="image/png")


def test_file_is_served_with_headers_that_forbid_scripts(image: StoredFile) -> None:
    response = file_response(image, cache="no-store", attachment=False)
    with closing(response):
        assert body_of(response) == PNG
    assert response["Content-Type"] == "image/png"
    assert response["Content-Length"] == str(len(PNG))
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cache-Control"] == "no-store"
    assert response["ETag"] == f'"{image.sha256}"'


def test_attachment_has_a_file_name(image: StoredFile) -> None:
    response = file_response(image, cache="no-store", attachment=True, name="page.png")
    assert response["Content-Disposition"] == 'attachment; filename="page.png"'
    response.close()


def test_thumbnail_has_its_own_type_length_and_etag(image: StoredFile) -> None:
    response = thumbnail_response(image, cache="no-store")
    with closing(response):
        assert body_of(response) == THUMBNAIL
    assert response["Content-Type"] == files.THUMBNAIL_TYPE
    assert response["Content-Length"] == str(len(THUMBNAIL))
    assert response["ETag"] == f'"{image.sha256}-small"'


def test_missing_bytes_are_not_found(image: StoredFile) -> None:
    files.erase(image.key)
    with pytest.raises(NotFound):
        file_response(image, cache="no-store", attachment=False)
    with pytest.raises(NotFound):
        thumbnail_response(image, cache="no-store")
