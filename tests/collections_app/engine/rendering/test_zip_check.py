import io
import zipfile

import pytest

from collections_app.engine.rendering import zip_check
from collections_app.engine.rendering.errors import FileDamaged, FileExpandsTooMuch
from tests.collections_app.engine.rendering.samples import docx, lying_zip, zip_bomb, zipped


def test_a_truthful_archive_passes() -> None:
    for content in (docx("text"), zipped(("stored", b"x" * 1000)), zip_bomb(1)):
        zip_check.check_sizes(io.BytesIO(content))


def test_an_archive_that_declares_too_little_is_refused() -> None:
    zip_check.entries(io.BytesIO(lying_zip()))
    with pytest.raises(FileExpandsTooMuch):
        zip_check.check_sizes(io.BytesIO(lying_zip()))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a", b"text")
    with pytest.raises(FileDamaged):
        zip_check.check_sizes(out)


def test_invalid_compressed_data_is_damage() -> None:
    content = bytearray(docx("text" * 100))
    start = content.index(b"word/document.xml") + 17
    content[start : start + 8] = b"\xff" * 8
    with pytest.raises(FileDamaged):
        zip_check.check_sizes(io.BytesIO(content))


def test_content_is_decompressed_up_to_the_limit() -> None:
    file = io.BytesIO(zip_bomb(3))
    entry = next(entry for entry in zip_check.entries(file) if entry.name == b"word/document.xml")
    assert zip_check.content(file, entry, limit=5) == b" " * 5
    assert len(zip_check.content(file, entry, limit=10**9)) == 3 * 1024 * 1024


def test_the_check_can_be_cancelled() -> None:
    def cancel() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        zip_check.check_sizes(io.BytesIO(docx("text")), check_cancelled=cancel)
