"""Files and their folders are synced to the disk when a call returns."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from paliapi.durable_files import DurableFiles


def test_file_and_its_folders_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    wait = os.fsync

    def watched(opened: int) -> None:
        wait(opened)
        synced.append(Path(f"/proc/self/fd/{opened}").readlink())

    monkeypatch.setattr(os, "fsync", watched)
    files = DurableFiles(location=tmp_path)

    assert files.save("1/ab/first", ContentFile(b"first")) == "1/ab/first"
    assert synced == [tmp_path / "1/ab/first", tmp_path / "1/ab", tmp_path / "1", tmp_path]
    assert (tmp_path / "1/ab/first").read_bytes() == b"first"


def test_default_storage_is_durable() -> None:
    assert isinstance(storages["default"], DurableFiles)


def test_failed_sync_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        DurableFiles(location=tmp_path).save("1/ab/first", ContentFile(b"first"))
