"""Which files are uploaded."""

import os
from pathlib import Path
from typing import Any

import pytest

from paliapi_client.cli.complaints import Complaint
from paliapi_client.cli.uploads.selection import select_items


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.pdf", "2025/b.pdf", "2025/deep/c.txt", "drafts/d.pdf", ".hidden/e.pdf", ".f"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "docs"


def names(*arguments: Path | str, **options: Any) -> list[str]:
    return [item.name for item in select_items([str(one) for one in arguments], **{"exclude": [], **options})]


def test_files_of_a_folder_are_named_by_their_paths_in_it(folder: Path) -> None:
    assert names(folder) == ["a.pdf", "2025/b.pdf", "2025/deep/c.txt", "drafts/d.pdf"]


def test_hidden_files_are_included_on_request(folder: Path) -> None:
    assert set(names(folder, hidden=True)) >= {".f", ".hidden/e.pdf"}


@pytest.mark.parametrize("pattern", ["drafts", "drafts/", "drafts/*", "d.pdf", "*/d.pdf"])
def test_excluded_files_and_folders_are_left_out(folder: Path, pattern: str) -> None:
    assert names(folder, exclude=[pattern]) == ["a.pdf", "2025/b.pdf", "2025/deep/c.txt"]


def test_globs_that_the_shell_left_are_expanded(folder: Path) -> None:
    assert names(folder / "**" / "*.pdf") == ["2025/b.pdf", "a.pdf", "drafts/d.pdf"]
    assert names(folder / "*.pdf") == ["a.pdf"]


def test_file_whose_name_looks_like_a_glob_is_itself(tmp_path: Path) -> None:
    (tmp_path / "[1].pdf").write_text("x")
    assert names(tmp_path / "[1].pdf") == ["[1].pdf"]


def test_same_file_named_twice_is_uploaded_once(folder: Path) -> None:
    assert names(folder / "a.pdf", folder / "*.pdf") == ["a.pdf"]


def test_two_files_with_one_name_are_rejected_before_anything_is_sent(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("another")
    with pytest.raises(Complaint, match=r"would both be the document a\.pdf"):
        names(folder, tmp_path / "a.pdf")


@pytest.mark.parametrize("path", ["missing.pdf", "*.none"])
def test_missing_path_is_explained(folder: Path, path: str) -> None:
    with pytest.raises(Complaint) as error:
        names(folder / path)
    assert error.value.code == "path_not_found"


def test_circles_of_links_and_pipes_are_left_out(folder: Path) -> None:
    (folder / "circle").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    (folder / "dangling").symlink_to(folder / "nothing")
    assert len(names(folder)) == 4
    with pytest.raises(Complaint, match="neither a file nor a folder"):
        names(folder / "pipe")


def test_names_that_are_not_utf8_can_be_sent(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.pdf")).write_text("x")
    assert names(tmp_path) == ["caf\ufffd.pdf"]


def test_url_is_named_by_its_last_part() -> None:
    assert names("https://example.com/a%20b.pdf?x=1") == ["a b.pdf"]
    assert names("https://example.com") == ["example.com"]


def test_only_a_single_file_can_be_renamed(folder: Path) -> None:
    assert names(folder / "a.pdf", name="b") == ["b"]
    with pytest.raises(Complaint, match="single file"):
        names(folder, name="b")
