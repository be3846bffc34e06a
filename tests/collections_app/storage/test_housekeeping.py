"""Deletion of unused files and objects."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.ownership import acting_for
from collections_app.models import StoredFile
from collections_app.storage import housekeeping
from collections_app.tasks import run_housekeeping, tidy_storage
from tests.cast import Someone
from tests.collections_app.documents import PDF, put, shown_with_pages


def _age_files(who: Someone) -> None:
    with acting_for(who.id):
        StoredFile.objects.filter(owner_id=who.id).update(wanted_at=timezone.now() - timedelta(days=2))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_old_file_in_use_is_not_deleted(alice: Someone, files_of_this_test: Path) -> None:
    shown_with_pages(alice, "x", pages=1)
    _age_files(alice)
    assert housekeeping.delete_unused_files() == 0
    assert housekeeping.delete_orphaned_objects() == 0
    assert len(_files(files_of_this_test)) == 3


def test_thumbnail_is_deleted_with_its_image(
    alice: Someone, files_of_this_test: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    shown_with_pages(alice, "x", pages=1)
    alice.delete("/v1/documents/x/")
    _age_files(alice)
    with django_capture_on_commit_callbacks(execute=True):
        assert housekeeping.delete_unused_files() == 2
    assert _files(files_of_this_test) == []


def test_file_of_a_deleted_document_is_deleted_after_the_retention_time(
    alice: Someone, files_of_this_test: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    put(alice, "x", PDF)
    alice.delete("/v1/documents/x/")
    run_housekeeping()
    assert len(_files(files_of_this_test)) == 1, "the retention time has not passed"
    _age_files(alice)
    with django_capture_on_commit_callbacks(execute=True):
        run_housekeeping()
    assert _files(files_of_this_test) == []


def test_file_whose_content_is_uploaded_again_is_not_deleted(alice: Someone, files_of_this_test: Path) -> None:
    put(alice, "x", PDF)
    alice.delete("/v1/documents/x/")
    _age_files(alice)
    put(alice, "y", PDF)
    assert housekeeping.delete_unused_files() == 0
    assert len(_files(files_of_this_test)) == 1


def test_old_object_without_a_row_is_deleted(alice: Someone, files_of_this_test: Path) -> None:
    put(alice, "x", PDF)
    _, orphan, recent = (
        storages["default"].save(key, ContentFile(b"left behind"))
        for key in ("readme/of-another-program", "987654321/ab/abc", f"{alice.id}/cd/cde")
    )
    for path in _files(files_of_this_test):
        if not str(path).endswith(recent):
            os.utime(path, (0, 0))
    assert housekeeping.delete_orphaned_objects() == 1
    assert not storages["default"].exists(orphan)
    assert len(_files(files_of_this_test)) == 3


@pytest.mark.django_db
def test_sketch_files_of_deleted_collections_are_deleted(
    alice: Someone,
    settings: Settings,
    tmp_path: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    index = tmp_path / "index"
    settings.ENV = replace(settings.ENV, index_root=index)
    ids = [shown_with_pages(alice, "x", pages=1, collection=name).collection_id for name in ("stays", "goes")]
    stays, goes = (index / str(alice.id) / str(collection_id) for collection_id in ids)
    strangers = index / str(alice.id + 10**9) / "1"
    for folder in (stays, goes, strangers):
        folder.mkdir(parents=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert alice.delete("/v1/collections/goes/").status_code == 204
    assert (stays.exists(), goes.exists()) == (True, False)
    goes.mkdir()
    run_housekeeping()
    assert [path for path in index.rglob("*") if path.is_dir()] == [stays.parent, stays]


@pytest.mark.django_db
def test_housekeeping_runs_on_an_empty_installation() -> None:
    run_housekeeping()
    tidy_storage()
