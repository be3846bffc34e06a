import io
import zipfile

import pytest

from collections_app.engine.rendering import zip_check
from collections_app.engine.rendering.errors import FileDamaged, FileExpandsTooMuch
from tests.collections_app.engine.rendering.samples import docx, lying_zip, zip_bomb, zipped


def test_an_honest_archive_is_believed() -> None:
    for content in (docx("text"), zipped(("stored", b"x" * 1000)), zip_bomb(1)):
        zip_check.check_sizes(io.BytesIO(content))


def test_an_archive_that_says_less_than_it_holds_is_found_out() -> None:
    zip_check.entries(io.BytesIO(lying_zip()))
    with pytest.raises(FileExpandsTooMuch):
        zip_check.check_sizes(io.BytesIO(lying_zip()))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_not_read(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        made.writestr("a", b"text")
    with pytest.raises(FileDamaged):
        zip_check.check_sizes(out)


def test_broken_bytes_are_damage() -> None:
    content = bytearray(docx("text" * 100))
    start = content.index(b"word/document.xml") + 17
    content[start : start + 8] = b"\xff" * 8
    with pytest.raises(FileDamaged):
        zip_check.check_sizes(io.BytesIO(content))


def test_an_entry_is_unpacked_no_further_than_asked() -> None:
    file = io.BytesIO(zip_bomb(3))
    entry = next(entry for entry in zip_check.entries(file) if entry.name == b"word/document.xml")
    assert zip_check.content(file, entry, limit=5) == b" " * 5
    assert len(zip_check.content(file, entry, limit=10**9)) == 3 * 1024 * 1024


def test_who_asks_may_stop_it() -> None:
    def no_more() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        zip_check.check_sizes(io.BytesIO(docx("text")), check_cancelled=no_more)
