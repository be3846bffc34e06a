"""An object store that is away, asked by its real SDK: nobody's document is at fault."""

import pytest
from botocore.config import Config
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from collections_app.ingest import worker
from tests.cast import Someone
from tests.collections_app.documents import PDF, put
from tests.collections_app.ingestion import latest
from tests.embeddings.scripted import Reply, scripted

UPSERT = "/v1/documents/upsert-document/"
BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


def keep_at(settings: Settings, url: str) -> None:
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
def test_what_is_uploaded_or_processed_meanwhile_waits(alice: Someone, settings: Settings, how: str) -> None:
    put(alice, "a.pdf", PDF)
    with scripted(lambda _: Reply(503, BUSY, {"content-type": "application/xml"})) as server:
        keep_at(settings, "http://127.0.0.1:1" if how == "gone" else server.url)
        refused = alice.upload(UPSERT, {"file": SimpleUploadedFile("file", PDF + b" "), "name": "b.pdf"})
        worker.run()
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    row = latest(alice, "a.pdf")
    assert (row.status, row.waiting_for, row.attempts) == ("queued", "storage_unavailable", 0)
