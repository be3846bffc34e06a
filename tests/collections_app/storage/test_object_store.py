"""Errors of an object store, raised by its real SDK."""

from collections.abc import Callable

import pytest
from botocore.config import Config
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from collections_app.ingest import worker
from collections_app.models import StoredFile
from collections_app.storage import files
from collections_app.storage.errors import FileMissing, StorageUnavailable
from tests.cast import Someone
from tests.collections_app.documents import PDF, put
from tests.collections_app.ingestion import latest_revision
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

UPSERT = "/v1/documents/upsert-document/"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
XML = {"content-type": "application/xml"}


def use_object_store(settings: Settings, url: str) -> None:
    options = {
        "bucket_name": "files",
        "endpoint_url": url,
        "region_name": "eu-west-1",
        "access_key": "id",
        "secret_key": "secret",
        "client_config": Config(connect_timeout=1, read_timeout=1, retries={"max_attempts": 0}),
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }


@pytest.mark.parametrize("how", ["gone", "busy"])
def test_uploads_and_processing_wait_for_the_object_store(alice: Someone, settings: Settings, how: str) -> None:
    put(alice, "a.pdf", PDF)
    with scripted(lambda _: Reply(503, SLOW_DOWN, XML)) as server:
        use_object_store(settings, "http://127.0.0.1:1" if how == "gone" else server.url)
        rejected = alice.upload(UPSERT, {"file": SimpleUploadedFile("file", PDF + b" "), "name": "b.pdf"})
        worker.run()
    assert (rejected.status_code, rejected.json()["code"]) == (503, "storage_unavailable")
    row = latest_revision(alice, "a.pdf")
    assert (row.status, row.waiting_for, row.attempts) == ("queued", "storage_unavailable", 0)


@pytest.mark.parametrize("read", [files.open_file, files.content])
@pytest.mark.parametrize(
    ("status_of_head", "expected"), [(200, StorageUnavailable), (404, FileMissing), (503, StorageUnavailable)]
)
def test_reading_raises_no_error_of_the_provider(
    settings: Settings, read: Callable[[StoredFile], object], status_of_head: int, expected: type[Exception]
) -> None:
    """With status 200 the object exists, but its download fails."""

    def reply(request: ReceivedRequest) -> Reply:
        return Reply(status_of_head) if request.method == "HEAD" else Reply(503, SLOW_DOWN, XML)

    with scripted(reply) as server:
        use_object_store(settings, server.url)
        with pytest.raises(expected):
            read(StoredFile(key="1/ab/abc"))
