"""Kill processes that share files of sketches, and damage the files: `python -m drills.sketch_files`

Four processes search one collection that changes all the time. They are killed while they write, one of them writes to
a disk that is full after half a file, and files are deleted, truncated and overwritten. Every answer must equal that of
a process without files, and no process may end by itself. Writes `drills/results/sketch_files.json`.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import structlog

from collections_app.engine.retrieval import candidates, sketch_scan
from collections_app.engine.retrieval.pooling import COARSE, FINE
from collections_app.engine.retrieval.segment import EMPTY, Block, RevisionTable, Segment, Unsketched
from collections_app.engine.retrieval.sketch import FORMAT, vector_bytes
from collections_app.engine.retrieval.sketch_files import cleaning
from collections_app.engine.retrieval.sketch_files.block_file import TEMPORARY, Label
from collections_app.engine.retrieval.sketch_files.shared_folder import SharedFolder, folder_of
from paliapi.env import ROOT

RESULTS = ROOT / "drills" / "results" / "sketch_files.json"
SECONDS = 60.0
_PROCESSES = 4
_REVISIONS, _SHOWN, _PAGES = 24, 14, 200
_DIM = 128
_LABEL = Label(owner_id=1, collection_id=2, space_id=3, dim=_DIM, sketches_seq=0)
_PLENTY, _HALF_A_FILE = 10**9, 300_000
_QUERY = sketch_scan.encode_query(np.random.default_rng(9).normal(size=(8, _DIM)).astype(np.float32))
_NONE = np.empty(0, dtype=np.int64)
_STEP_S = 0.1
_WAIT_S = 2.0


def main() -> int:
    """Run the drill, print and write its figures; return 1 if an answer was wrong or a process ended by itself."""
    with TemporaryDirectory() as folder:
        drill = Drill(Path(folder))
        drill.run(SECONDS)
        results = drill.results()
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    return int(bool(results["wrong_answers"] or results["processes_that_ended"] or results["files_left_over"]))


class Drill:
    """The processes and what is done to them; what happens when is chosen by chance, but the same in each run."""

    def __init__(self, folder: Path) -> None:
        self.root, self._log, self._seq_file = folder / "index", folder / "log", folder / "seq"
        self._chance = Random(1)  # noqa: S311
        self._counts: Counter[str] = Counter()
        self._seq = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def run(self, seconds: float) -> None:
        """Disturb the processes for so long."""
        self._change()
        self._processes = [self._started(number) for number in range(_PROCESSES)]
        until = time.monotonic() + seconds
        actions = [
            *[self._change] * 12,
            *[self._replace] * 2,
            self._kill,
            self._kill_writers,
            self._kill_all_and_damage,
        ]
        while time.monotonic() < until:
            time.sleep(_STEP_S * self._chance.randrange(1, 6))
            self._chance.choice(actions)()
            self._counts["processes_that_ended"] += sum(one.poll() is not None for one in self._processes)
        self._kill_all()

    def results(self) -> dict[str, int]:
        """Return the figures; afterwards no file is left."""
        lines = Counter(line.split()[0] for line in self._log.read_text(encoding="utf-8").splitlines() if line)
        self._counts["half_written_files"] = len(list(self.root.rglob(f"*{TEMPORARY}")))
        for path in self.root.rglob(f"*{TEMPORARY}"):
            os.utime(path, (0, 0))
        cleaning.delete_unneeded(self.root, lambda _: [_LABEL.collection_id])
        self._counts["files_left_over"] = len(list(self.root.rglob(f"*{TEMPORARY}")))
        names = ("changes", "kills", "replaced_files", "files_damaged_in_place", "half_written_files")
        figures = {name: self._counts[name] for name in names}
        figures |= {name: lines[name] for name in ("answers", "files_written", "files_rejected", "disk_full_lines")}
        failures = {name: self._counts[name] for name in ("processes_that_ended", "files_left_over")}
        return {**figures, "wrong_answers": lines["wrong_answers"], **failures}

    def _change(self) -> None:
        self._seq += 1
        self._counts["changes"] += 1
        draft = self._seq_file.with_suffix(".new")
        draft.write_text(str(self._seq), encoding="ascii")
        draft.replace(self._seq_file)

    def _started(self, number: int) -> subprocess.Popen[bytes]:
        limit = _HALF_A_FILE if number == 0 else 0
        argv = [sys.executable, "-m", "drills.sketch_files", "search", str(self._seq_file.parent), str(limit)]
        with self._log.open("ab") as log:
            return subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)

    def _kill(self) -> None:
        number = self._chance.randrange(_PROCESSES)
        self._processes[number].send_signal(signal.SIGKILL)
        self._processes[number].wait()
        self._processes[number] = self._started(number)
        self._counts["kills"] += 1

    def _kill_writers(self) -> None:
        """Kill all processes when one of them has begun to write."""
        until = time.monotonic() + _WAIT_S
        self._change()
        while not list(folder_of(self.root, _LABEL).glob(f"*{TEMPORARY}")) and time.monotonic() < until:
            pass
        self._kill_all()
        self._processes = [self._started(number) for number in range(_PROCESSES)]

    def _kill_all(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._counts["kills"] += _PROCESSES

    def _replace(self) -> None:
        """Put damaged copies in the place of files, as a faulty copy of the folder would."""
        for path in self._files():
            data = self._damaged(path)
            draft = path.with_suffix(".draft")
            draft.write_bytes(data)
            draft.replace(path)
            self._counts["replaced_files"] += 1

    def _kill_all_and_damage(self) -> None:
        """Damage files in place. A process that reads behind the end of a file at that moment would end by itself."""
        self._kill_all()
        for path in self._files():
            path.write_bytes(self._damaged(path))
            self._counts["files_damaged_in_place"] += 1
        self._processes = [self._started(number) for number in range(_PROCESSES)]

    def _files(self) -> list[Path]:
        folder = folder_of(self.root, _LABEL)
        return [path for path in sorted(folder.glob("*.sketches")) if self._chance.random() < 1 / 2]

    def _damaged(self, path: Path) -> bytes:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return b""
        place = self._chance.randrange(len(data) or 1)
        ways = (data[:place], self._chance.randbytes(len(data)), data[:place] + b"\xa5" + data[place + 1 :], b"")
        return self._chance.choice(ways)


_COUNTED = {
    "sketch_file_written": "files_written",
    "sketch_file_rejected": "files_rejected",
    "sketch_files_unusable": "disk_full_lines",
}


def _count_lines(_logger: object, _method: str, event: structlog.types.EventDict) -> str:
    return _COUNTED.get(str(event["event"]), str(event["event"]))


def search(folder: Path, *, max_file_bytes: int) -> None:
    """Search until killed, and write a line for each answer and each event."""
    structlog.configure(processors=[_count_lines])
    if max_file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
    root, shared, alone = folder / "index", SharedFolder(_PAGES), SharedFolder(10**9)
    segment, alone_segment = EMPTY, EMPTY
    while True:
        seq = int((folder / "seq").read_text(encoding="ascii"))
        segment = _refreshed(shared, segment, root, seq)
        alone_segment = _refreshed(alone, alone_segment, root / "none", seq)
        same = _answer(segment) == _answer(alone_segment)
        sys.stdout.write("answers\n" if same else "wrong_answers\n")
        sys.stdout.flush()


def _refreshed(shared: SharedFolder, segment: Segment, root: Path, seq: int) -> Segment:
    shown = sorted(Random(seq).sample(range(1, 1 + _REVISIONS), _SHOWN))  # noqa: S311
    ids = np.array(shown, dtype=np.int64)
    revisions = RevisionTable(ids, ids, np.full(_SHOWN, _PAGES), ids)
    old = shared.adopt(segment.without_changed_files(), revisions, root, _LABEL)
    missing = np.setdiff1d(ids, old.loaded_revisions()).tolist()
    updated = old.updated(seq, revisions, [_block(number) for number in missing], Unsketched(_NONE, _NONE))
    return shared.store(updated, root, _LABEL, max_bytes=_PLENTY)


def _block(revision: int) -> Block:
    rng = np.random.default_rng(revision)
    size = (FINE + COARSE) * vector_bytes(_DIM)
    data = b"".join(bytes([FORMAT, FINE, COARSE]) + rng.bytes(size) for _ in range(_PAGES))
    sketches, _ = sketch_scan.load(data, np.full(_PAGES, size + 3), dim=_DIM)
    page_ids = 1000 * revision + np.arange(_PAGES)
    return Block(page_ids, np.full(_PAGES, revision), sketches, np.arange(_PAGES))


def _answer(segment: Segment) -> list[int]:
    part = segment.part(None, excluded_page_ids=_NONE)
    return [int(page) for page in candidates.best([part], _QUERY, limit=100, coarse_candidates=500)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["search"]:
        search(Path(sys.argv[2]), max_file_bytes=int(sys.argv[3]))
    sys.exit(main())
