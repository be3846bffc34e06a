"""Files and their folders are synced to the disk when a call returns."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from paliapi.durable_files import DurableFiles

NAMES = [("1/ab", "second"), ("1/cd", "third")]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list to which every path that is synced is added."""
    paths: list[Path] = []
    wait = os.fsync

    def watched(opened: int) -> None:
        wait(opened)
        paths.append(Path(f"/proc/self/fd/{opened}").readlink())

    monkeypatch.setattr(os, "fsync", watched)
    return paths


def test_file_and_its_folders_are_synced(tmp_path: Path, synced: list[Path]) -> None:
    files = DurableFiles(location=tmp_path)

    assert files.save("1/ab/first", ContentFile(b"first")) == "1/ab/first"
    assert synced == [tmp_path / "1/ab/first", tmp_path / "1/ab", tmp_path / "1", tmp_path]
    assert (tmp_path / "1/ab/first").read_bytes() == b"first"

    synced.clear()
    files.save("1/ab/second", ContentFile(b"second"))
    files.save("1/cd/third", ContentFile(b"third"))
    second, third = [[tmp_path / folder / name, tmp_path / folder] for folder, name in NAMES]
    assert synced == [*second, *third, tmp_path / "1"], "the folders above that were synced before stay on the disk"


def test_files_saved_together_share_the_syncs_of_their_folder(tmp_path: Path, synced: list[Path]) -> None:
    files = DurableFiles(location=tmp_path)
    files.save_together([("1/ab/image", ContentFile(b"image")), ("1/ab/thumbnail", ContentFile(b"thumbnail"))])
    folders = [tmp_path / "1/ab", tmp_path / "1", tmp_path]
    assert synced == [tmp_path / "1/ab/image", tmp_path / "1/ab/thumbnail", *folders]
    assert (tmp_path / "1/ab/thumbnail").read_bytes() == b"thumbnail"


def test_files_saved_together_are_all_saved_or_none(tmp_path: Path) -> None:
    files = DurableFiles(location=tmp_path)
    files.save("1/taken", ContentFile(b"first"))
    with pytest.raises(FileExistsError):
        files.save_together([("1/new", ContentFile(b"new")), ("1/taken", ContentFile(b"second"))])
    assert [path.read_bytes() for path in (tmp_path / "1").iterdir()] == [b"first"]


def test_default_storage_is_durable() -> None:
    assert isinstance(storages["default"], DurableFiles)


def test_failed_sync_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        DurableFiles(location=tmp_path).save("1/ab/first", ContentFile(b"first"))
