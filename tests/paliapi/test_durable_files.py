"""What is saved is on the disk when the call returns: the file, its name, and the names of new folders."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from paliapi.durable_files import DurableFiles


def test_a_file_and_every_name_that_leads_to_it_reach_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_is_kept_of_uploads_and_pages_is_kept_so() -> None:
    assert isinstance(storages["default"], DurableFiles)


def test_a_disk_that_does_not_take_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        DurableFiles(location=tmp_path).save("1/ab/first", ContentFile(b"first"))
