"""Files in request bodies."""

import base64
import hashlib
from dataclasses import replace
from io import BytesIO

import pytest
from pytest_django import Settings

from collections_app.api.document_in import FileSource
from collections_app.api.errors import SourceAmbiguous, SourceMissing
from collections_app.api.upload_source import decode_upload, open_upload
from collections_app.engine.input.errors import Base64Invalid
from paliapi.errors import TooLarge

CONTENT = bytes(range(256)) * 9000  # more than one chunk of base64


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def test_base64_is_decoded_measured_and_hashed() -> None:
    with open_upload(FileSource(base64=encoded(CONTENT)), required=True) as upload:
        assert upload
        assert upload.file.read() == CONTENT
        assert (upload.size, upload.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.mark.parametrize("text", ["data:image/png;base64,AAAA", "AAA", "AA-_", "AAAA\nAAAA"])
def test_invalid_base64_is_rejected_with_its_pointer(text: str) -> None:
    with pytest.raises(Base64Invalid) as refused:
        decode_upload(text, BytesIO(), at="/base64")
    assert refused.value.problems[0].pointer == "/base64"


def test_too_large_base64_is_rejected_before_it_is_decoded(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_upload_mb=1)
    file = BytesIO()
    with pytest.raises(TooLarge):
        decode_upload(encoded(bytes(1024 * 1024 + 3)), file, at="/base64")
    assert file.tell() == 0


def test_url_needs_no_upload() -> None:
    with open_upload(FileSource(url="https://example.com/a.pdf"), required=True) as upload:
        assert upload is None


def test_only_one_source_is_accepted_and_one_is_required() -> None:
    with (
        pytest.raises(SourceAmbiguous) as refused,
        open_upload(FileSource(base64="AAAA", url="https://example.com/a.pdf"), required=False),
    ):
        pass
    assert [problem.pointer for problem in refused.value.problems] == ["/base64", "/url"]
    with pytest.raises(SourceMissing), open_upload(FileSource(), required=True):
        pass
    with open_upload(FileSource(), required=False) as upload:
        assert upload is None
