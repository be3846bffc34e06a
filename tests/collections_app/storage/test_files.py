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


def content(told: bytes) -> Content:
    sha256 = hashlib.sha256(told).hexdigest()
    return Content(file=BytesIO(told), sha256=sha256, size=len(told), content_type="text/plain")


def test_of_many_each_content_is_written_once(alice: Someone, files_of_this_test: Path) -> None:
    with acting_for(alice.id) as tx:
        [known] = files.settle_all(tx, list(files.put_all(alice.id, [content(b"known")])))
    drafts = list(files.put_all(alice.id, [content(told) for told in (b"new", b"known", b"new", b"other")]))
    assert [bool(draft.key) for draft in drafts] == [True, False, False, True]
    with acting_for(alice.id) as tx:
        rows = files.settle_all(tx, drafts)
    assert [row and row.sha256 for row in rows] == [draft.sha256 for draft in drafts]
    assert (rows[0], rows[1]) == (rows[2], known)
    assert len([path for path in files_of_this_test.rglob("*") if path.is_file()]) == 3


def test_what_went_away_meanwhile_has_to_be_put_again(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        files.settle_all(tx, list(files.put_all(alice.id, [content(b"known")])))
    drafts = list(files.put_all(alice.id, [content(b"known"), content(b"new")]))
    with acting_for(alice.id) as tx:
        StoredFile.objects.filter(owner_id=alice.id, sha256=drafts[0].sha256).delete()
        assert [row is None for row in files.settle_all(tx, drafts)] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_two_who_put_the_same_at_once_keep_it_once(files_of_this_test: Path) -> None:
    owner = someone("owner@example.com")
    drafts = [list(files.put_all(owner.id, [content(b"same")])) for _ in range(2)]
    for each in drafts:
        with acting_for(owner.id) as tx:
            files.settle_all(tx, each)
    assert [path.name for path in files_of_this_test.rglob("*") if path.is_file()] == [Path(drafts[0][0].key).name]
