import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from collections_app import files
from collections_app.errors import StorageUnavailable
from tests.cast import Someone


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """As on a disk that gets full: the beginning is written, the rest is refused."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_disk_that_gets_full_keeps_no_half_of_a_file(alice: Someone, files_of_this_test: Path) -> None:
    content = b"x" * 100_000
    sha256 = hashlib.sha256(content).hexdigest()
    with no_file_longer_than(1000), pytest.raises(StorageUnavailable):
        files.put(alice.id, BytesIO(content), sha256=sha256, size=len(content), content_type="text/plain")
    assert [path for path in files_of_this_test.rglob("*") if path.is_file()] == []
    draft = files.put(alice.id, BytesIO(content), sha256=sha256, size=len(content), content_type="text/plain")
    assert (files_of_this_test / draft.key).read_bytes() == content
