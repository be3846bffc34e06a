"""Accepted uploads: bytes and rows are stored together or not at all."""

import hashlib
import io
from pathlib import Path

import pytest

from accounts.ownership import OwnerTransaction, acting_for
from collections_app import catalogue
from collections_app.ingest import accept
from collections_app.ingest.accept import DocumentUpdate, DocumentUpsert, Upload
from collections_app.ingest.errors import URLInvalid
from collections_app.models import Collection, Document, Revision, StoredFile
from collections_app.storage import files
from collections_app.storage.files import Draft
from paliapi.errors import Unavailable
from tests.cast import Someone
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import assert_consistent
from tests.collections_app.searchable import caller_of


def upload(content: bytes) -> Upload:
    return Upload(file=io.BytesIO(content), sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def upsert(who: Someone, content: bytes | None, *, url: str = "", remember: object = None) -> Document:
    def record(_tx: OwnerTransaction, _row: Document) -> None:
        if isinstance(remember, Exception):
            raise remember

    wanted = DocumentUpsert(name="a.pdf", collection_name="reports", metadata={}, url=url)
    return accept.upsert_document(
        caller_of(who), wanted, upload(content) if content else None, claim=lambda _: None, remember=record
    )


def stored_objects(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_callbacks_run_in_the_transaction_of_the_upload(alice: Someone) -> None:
    seen = list[tuple[str, bool]]()

    def exists() -> bool:
        return Document.objects.filter(owner_id=alice.id).exists()

    wanted = DocumentUpsert(name="a.pdf", collection_name="reports", metadata={}, url="https://example.com/a.pdf")
    accept.upsert_document(
        caller_of(alice),
        wanted,
        None,
        claim=lambda _: seen.append(("claim", exists())),
        remember=lambda *_: seen.append(("remember", exists())),
    )
    assert seen == [("claim", False), ("remember", True)]


def test_error_in_the_transaction_leaves_neither_rows_nor_bytes(alice: Someone, files_of_this_test: Path) -> None:
    with pytest.raises(RuntimeError, match="refused"):
        upsert(alice, pdf("one"), remember=RuntimeError("refused"))
    assert stored_objects(files_of_this_test) == []
    with acting_for(alice.id):
        for model in (Collection, Document, Revision, StoredFile):
            assert not model.objects.filter(owner_id=alice.id).exists()
    assert_consistent(alice)


def test_bytes_deleted_between_storage_and_rows_are_stored_again(
    alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    upsert(alice, pdf("one"))
    put = files.put
    drafts = list[Draft]()

    def put_and_delete_once(*args: object, **options: object) -> Draft:
        draft = put(*args, **options)  # type: ignore[arg-type]
        if not drafts:  # as housekeeping does
            with acting_for(alice.id):
                Revision.objects.filter(owner_id=alice.id).update(file=None)
                for file in StoredFile.objects.filter(owner_id=alice.id):
                    files.erase(file.key)
                    file.delete()
        drafts.append(draft)
        return draft

    monkeypatch.setattr(files, "put", put_and_delete_once)
    upsert(alice, pdf("one"))
    assert [bool(draft.key) for draft in drafts] == [False, True]
    assert_consistent(alice)


def test_upload_is_refused_if_concurrent_changes_never_end(alice: Someone) -> None:
    with pytest.raises(Unavailable):
        upsert(alice, None, url="https://example.com/", remember=Document.DoesNotExist())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.pdf",
        "https://",
        "https://example.com:0/",
        "https://[half",
        "https://example.com/\n",
        "https://example.com/" + "x" * 8000,
    ],
    ids=range(6),
)
def test_malformed_url_is_refused(alice: Someone, url: str) -> None:
    with pytest.raises(URLInvalid) as refusal:
        upsert(alice, None, url=url)
    assert refusal.value.problems[0].pointer == "/url"


def test_new_revision_replaces_one_that_was_never_shown(alice: Someone) -> None:
    upsert(alice, pdf("one"))
    document = upsert(alice, pdf("two", "three"))
    with acting_for(alice.id):
        assert [row.pk for row in Revision.objects.filter(owner_id=alice.id)] == [document.latest_id]
    assert_consistent(alice)


def test_update_with_the_same_url_queues_nothing(alice: Someone) -> None:
    url = "https://example.com/a.pdf"
    before = upsert(alice, None, url=url).latest_id
    for changed_url, is_new in ((url, False), (url + "?v=2", True)):
        document = accept.update_document(
            caller_of(alice),
            "a.pdf",
            DocumentUpdate(url=changed_url),
            None,
            collection_name="reports",
            precondition=catalogue.unconditional,
        )
        assert (document.latest_id != before) == is_new


def test_failed_precondition_cancels_the_update(alice: Someone, files_of_this_test: Path) -> None:
    upsert(alice, pdf("one"))

    def refuse(row: Document) -> None:
        raise RuntimeError(row.name)

    with pytest.raises(RuntimeError, match=r"a\.pdf"):
        accept.update_document(
            caller_of(alice),
            "a.pdf",
            DocumentUpdate(name="b.pdf"),
            upload(pdf("two")),
            collection_name=None,
            precondition=refuse,
        )
    with acting_for(alice.id):
        assert Document.objects.get(owner_id=alice.id).name == "a.pdf"
    assert len(stored_objects(files_of_this_test)) == 1
    assert_consistent(alice)
