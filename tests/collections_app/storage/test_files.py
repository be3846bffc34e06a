"""Files in storage, and their rows."""

import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from accounts.ownership import acting_for
from collections_app.models import StoredFile
from collections_app.storage import files
from collections_app.storage.errors import StorageUnavailable
from collections_app.storage.files import Content
from tests.cast import Someone, someone


@contextmanager
def max_file_size(size: int) -> Iterator[None]:
    """Let writes beyond this size fail, as on a full disk."""
    original = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, original[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, original)


def test_full_disk_leaves_no_partial_file(alice: Someone, files_of_this_test: Path) -> None:
    content = b"x" * 100_000
    sha256 = hashlib.sha256(content).hexdigest()
    with max_file_size(1000), pytest.raises(StorageUnavailable):
        files.put(alice.id, BytesIO(content), sha256=sha256, size=len(content), content_type="text/plain")
    assert [path for path in files_of_this_test.rglob("*") if path.is_file()] == []
    draft = files.put(alice.id, BytesIO(content), sha256=sha256, size=len(content), content_type="text/plain")
    assert (files_of_this_test / draft.key).read_bytes() == content


def content_of(data: bytes) -> Content:
    sha256 = hashlib.sha256(data).hexdigest()
    return Content(file=BytesIO(data), sha256=sha256, size=len(data), content_type="text/plain")


def test_equal_contents_are_written_once(alice: Someone, files_of_this_test: Path) -> None:
    with acting_for(alice.id) as tx:
        [known] = files.settle_all(tx, list(files.put_all(alice.id, [content_of(b"known")])))
    drafts = list(files.put_all(alice.id, [content_of(data) for data in (b"new", b"known", b"new", b"other")]))
    assert [bool(draft.key) for draft in drafts] == [True, False, False, True]
    with acting_for(alice.id) as tx:
        rows = files.settle_all(tx, drafts)
    assert [row and row.sha256 for row in rows] == [draft.sha256 for draft in drafts]
    assert (rows[0], rows[1]) == (rows[2], known)
    assert len([path for path in files_of_this_test.rglob("*") if path.is_file()]) == 3


def test_content_deleted_before_it_is_settled_must_be_put_again(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        files.settle_all(tx, list(files.put_all(alice.id, [content_of(b"known")])))
    drafts = list(files.put_all(alice.id, [content_of(b"known"), content_of(b"new")]))
    with acting_for(alice.id) as tx:
        StoredFile.objects.filter(owner_id=alice.id, sha256=drafts[0].sha256).delete()
        assert [row is None for row in files.settle_all(tx, drafts)] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_content_written_by_two_processes_is_stored_once(files_of_this_test: Path) -> None:
    owner = someone("owner@example.com")
    drafts = [list(files.put_all(owner.id, [content_of(b"same")])) for _ in range(2)]
    for drafts_of_process in drafts:
        with acting_for(owner.id) as tx:
            files.settle_all(tx, drafts_of_process)
    assert [path.name for path in files_of_this_test.rglob("*") if path.is_file()] == [Path(drafts[0][0].key).name]
