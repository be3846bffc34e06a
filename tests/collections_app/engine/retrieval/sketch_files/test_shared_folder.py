"""Processes that share files have exactly what the collection shows, whatever happens to the files."""

import os
import resource
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_app.engine.retrieval import candidates
from collections_app.engine.retrieval.segment import EMPTY, RevisionTable, Segment, Unsketched
from collections_app.engine.retrieval.sketch_files import shared_folder
from collections_app.engine.retrieval.sketch_files.block_file import Label
from collections_app.engine.retrieval.sketch_files.shared_folder import SharedFolder, folder_of
from tests.collections_app.engine.retrieval.test_segment import (
    DIM,
    NO_PAGES,
    QUERY,
    all_pages,
    block,
    numbers,
    ranking,
    table,
)

LABEL = Label(owner_id=1, collection_id=2, space_id=3, dim=DIM, sketches_seq=0)
PLENTY = 10**9
PAGES = {number: [100 * number + page for page in range(9)] for number in range(1, 9)}


class Process:
    """What a process that searches holds of one collection; `loaded` are the pages that it read from the database."""

    def __init__(self, root: Path, *, min_pages: int = 4, max_bytes: int = PLENTY) -> None:
        self.root, self.max_bytes = root, max_bytes
        self.folder = SharedFolder(min_pages)
        self.segment: Segment = EMPTY
        self.loaded: list[int] = []

    def refresh(
        self, shown: dict[int, list[int]], *, seq: int, label: Label = LABEL, unsketched: frozenset[int] = frozenset()
    ) -> Segment:
        revisions: RevisionTable = table(shown)
        old = self.folder.adopt(self.segment.without_changed_files(), revisions, self.root, label)
        missing = np.setdiff1d(revisions.revision_ids, old.loaded_revisions()).tolist()
        self.loaded = [page for revision in missing for page in shown[revision]]
        blocks = [block(each, [page for page in shown[each] if page not in unsketched]) for each in missing]
        pairs = [(page, each) for each in missing for page in shown[each] if page in unsketched]
        rest = Unsketched(numbers(*(page for page, _ in pairs)), numbers(*(each for _, each in pairs)))
        updated = old.updated(seq, revisions, blocks, rest)
        self.segment = self.folder.store(updated, self.root, label, max_bytes=self.max_bytes)
        return self.segment


@pytest.fixture
def uncached_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lines be captured even if an earlier test used the logger, which keeps the configuration of that moment."""
    monkeypatch.setattr(shared_folder, "log", structlog.get_logger())


def files_in(root: Path, label: Label = LABEL) -> list[Path]:
    folder = folder_of(root, label)
    return sorted(folder.iterdir()) if folder.exists() else []


def ranked(segment: Segment) -> list[int]:
    part = segment.part(None, excluded_page_ids=NO_PAGES)
    return [int(page) for page in candidates.best([part], QUERY, limit=1000, coarse_candidates=1000)]


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(1, 8), st.integers(0, 9), max_size=6),  # page counts of the shown revisions
            st.sets(st.integers(0, 2)),  # the processes that search
            st.sampled_from(["", "", "", "restart", "delete", "truncate", "noise", "rebuild"]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.frozensets(st.integers(100, 900), max_size=10),
)
@settings(max_examples=60, deadline=None)
def test_processes_that_share_files_have_what_a_new_one_would_load(
    history: list[tuple[dict[int, int], set[int], str]], unsketched: frozenset[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, label = Path(folder) / "index", LABEL
        processes = [Process(root) for _ in range(3)]
        for seq, (counts, searching, event) in enumerate(history):
            # A revision never changes, so one with another number of pages is another one.
            shown = {10 * number + count: PAGES[number][:count] for number, count in counts.items()}
            expected = {page for pages in shown.values() for page in pages} - unsketched
            label = happen(event, processes, root, label, seq=seq)
            for number in sorted(searching):
                segment = processes[number].refresh(shown, seq=seq, label=label, unsketched=unsketched)
                assert ranked(segment) == ranking(sorted(expected))
                assert set(all_pages(segment)) == {page for pages in shown.values() for page in pages}
        assert not list(Path(folder).rglob("*.part"))


def happen(event: str, processes: list[Process], root: Path, label: Label, *, seq: int) -> Label:
    if event == "restart":
        processes[0] = Process(root)
    elif event == "rebuild":
        for process in processes:
            process.segment = EMPTY
        return replace(label, sketches_seq=seq)
    for path in files_in(root, label):
        if event == "delete":
            path.unlink()
        elif event == "truncate":
            os.truncate(path, path.stat().st_size // 2)
        elif event == "noise":
            path.write_bytes(np.random.default_rng(seq).bytes(path.stat().st_size))
    return label


def test_new_process_reads_files_and_not_the_database(tmp_path: Path) -> None:
    first, second = Process(tmp_path), Process(tmp_path)
    shown = {1: PAGES[1], 2: PAGES[2]}
    assert len(first.refresh(shown, seq=1).files) == 1
    assert second.refresh(shown, seq=1).files == first.segment.files
    assert second.loaded == []
    shown[3] = PAGES[3][:2]
    assert len(second.refresh(shown, seq=2).files) == 1
    assert second.loaded == PAGES[3][:2]


def test_processes_that_loaded_in_different_steps_come_to_share_one_file(tmp_path: Path) -> None:
    stepwise, late, last = Process(tmp_path), Process(tmp_path), Process(tmp_path)
    late.refresh({1: PAGES[1]}, seq=1)
    for seq in range(1, 6):
        stepwise.refresh({number: PAGES[number] for number in range(1, seq + 1)}, seq=seq)
    shown = {number: PAGES[number] for number in range(1, 6)}
    assert set(files_in(tmp_path)) == {file.path for file in stepwise.segment.files}
    for process in (late, last):
        assert process.refresh(shown, seq=5).files == stepwise.segment.files
        assert process.loaded == []
    assert set(files_in(tmp_path)) == {file.path for file in stepwise.segment.files}


def test_two_processes_that_load_at_once_write_one_file(tmp_path: Path) -> None:
    first, second = Process(tmp_path), Process(tmp_path)
    shown = {1: PAGES[1], 2: PAGES[2]}
    segments = [
        process.folder.store(
            EMPTY.updated(1, table(shown), [block(1, PAGES[1]), block(2, PAGES[2])], unsketched),
            tmp_path,
            LABEL,
            max_bytes=PLENTY,
        )
        for process, unsketched in ((first, EMPTY.unsketched), (second, EMPTY.unsketched))
    ]
    assert segments[0].files == segments[1].files
    assert len(files_in(tmp_path)) == 1


def test_files_before_a_rebuild_and_of_hidden_pages_are_deleted(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.refresh({number: PAGES[number] for number in range(1, 5)}, seq=1)
    (whole,) = files_in(tmp_path)
    process.refresh({1: PAGES[1]}, seq=2)
    (smaller,) = files_in(tmp_path)
    assert (whole.name.split("-")[3], smaller.name.split("-")[3]) == ("36", "9")
    process.segment = EMPTY
    process.refresh({1: PAGES[1]}, seq=3, label=replace(LABEL, sketches_seq=3))
    assert process.loaded == PAGES[1]
    (rebuilt,) = files_in(tmp_path)
    assert rebuilt.name.startswith("3-3-")


def test_pages_that_were_hidden_and_are_shown_again_are_in_a_file_once(tmp_path: Path) -> None:
    process, new = Process(tmp_path), Process(tmp_path)
    for seq, names in enumerate([(1, 2), (1, 3), (1, 2, 3)]):
        process.refresh({number: PAGES[number] for number in names}, seq=seq)
    shown = {number: PAGES[number] for number in (1, 2, 3)}
    assert len(process.segment.files) == 1
    assert all_pages(new.refresh(shown, seq=2)) == all_pages(process.segment) == [*PAGES[1], *PAGES[2], *PAGES[3]]


def test_old_segment_deletes_no_file_that_is_newer(tmp_path: Path) -> None:
    newer, older = Process(tmp_path), Process(tmp_path)
    newer.refresh({2: PAGES[2]}, seq=9)
    older.refresh({1: PAGES[1]}, seq=8)
    assert len(files_in(tmp_path)) == 2


@pytest.mark.usefixtures("uncached_log")
@pytest.mark.parametrize("obstacle", ["full", "file", "writable by others", "no permission"])
def test_segment_stays_in_memory_and_one_line_is_logged_if_files_are_impossible(tmp_path: Path, obstacle: str) -> None:
    root = tmp_path / "index"
    process = Process(root, max_bytes=10 if obstacle == "full" else PLENTY)
    if obstacle == "file":
        root.write_text("in the way")
    elif obstacle == "writable by others":
        root.mkdir()
        root.chmod(0o777)
    elif obstacle == "no permission":
        root.symlink_to("/proc/self")  # even root cannot create a folder there
    with structlog.testing.capture_logs() as logs:
        for seq in (1, 2, 3):
            segment = process.refresh({1: PAGES[1], 1 + seq: PAGES[1 + seq]}, seq=seq)
            assert segment.files == []
            assert all_pages(segment) == [*PAGES[1], *PAGES[1 + seq]]
    assert [line["event"] for line in logs] == ["sketch_files_unusable"]


@pytest.mark.usefixtures("uncached_log")
def test_rejected_file_is_logged_once_and_deleted(tmp_path: Path) -> None:
    Process(tmp_path).refresh({1: PAGES[1]}, seq=1)
    (path,) = files_in(tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"1")
    processes = [Process(tmp_path), Process(tmp_path)]
    with structlog.testing.capture_logs() as logs:
        for process in processes:
            assert all_pages(process.refresh({1: PAGES[1]}, seq=1)) == PAGES[1]
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["sketch_file_rejected"]
    assert files_in(tmp_path) == [path]
    assert (processes[0].loaded, processes[1].loaded) == (PAGES[1], [])


def test_file_stays_if_too_many_files_are_open(tmp_path: Path) -> None:
    Process(tmp_path).refresh({1: PAGES[1]}, seq=1)
    files = files_in(tmp_path)
    descriptor, limits = os.open("/", os.O_RDONLY), resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor, limits[1]))
    try:
        segment = Process(tmp_path).refresh({1: PAGES[1]}, seq=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert (all_pages(segment), segment.files, files_in(tmp_path)) == (PAGES[1], [], files)


def test_folders_are_private(tmp_path: Path) -> None:
    Process(tmp_path / "index").refresh({1: PAGES[1]}, seq=1)
    modes = {
        path.stat().st_mode & 0o777 for path in [tmp_path / "index", *(tmp_path / "index").rglob("*")] if path.is_dir()
    }
    assert modes == {0o700}
