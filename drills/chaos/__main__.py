"""Break every part at every step of ingestion: `python -m drills.chaos [--point NAME] [--fault NAME]`

A searchable document is uploaded again to a complete stack. A worker stops at a named failpoint of the pipeline, a
fault is injected, and the document must still become ready, while its old content stays searchable throughout. Prints
a line per fault and failpoint, and writes them to drills/results/chaos.json.

If a document waits after an outage, the wait is shortened: `recovery_s` is the time from the end of the fault, or from
the kill, until the document is ready.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from benchmarks.harness.sample_pdf import lines
from benchmarks.harness.stack import running, temporary_folder
from benchmarks.harness.uploads import until_ready, upload
from drills.chaos import checks
from drills.chaos.disk import SmallDisk
from drills.chaos.faults import FAULTS, MAX_RECOVERY_S
from drills.chaos.proxy import FaultyProxy
from drills.chaos.scene import Scene, Stage, Stuck, until
from drills.chaos.searches import searching
from paliapi import env
from paliapi.stack.listen import free_port

RESULTS = Path(__file__).parents[1] / "results" / "chaos.json"
OLD_PAGES, NEW_PAGES = 3, 20  # two batches and a half
POINTS = (
    "claimed",
    "pages_rendered",
    "pages_embedded",
    "images_put",
    "pages_written",
    "pages_stored",
    "pages_embedded:2",
    "pages_written:3",
    "before_publishing",
    "published",
)
_KEY = "chaos"
_DEADLINE_S = 150.0


@dataclass
class Row:
    """The outcome of one fault at one failpoint."""

    fault: str
    point: str
    status: str = ""
    recovery_s: float = 0.0
    searches_old: int = 0
    searches_new: int = 0
    searches_unavailable: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Run the drill; return 1 if there was any problem."""
    parser = argparse.ArgumentParser(prog="python -m drills.chaos")
    parser.add_argument("--point", action="append", choices=POINTS, help="only this failpoint; repeatable")
    parser.add_argument("--fault", action="append", choices=list(FAULTS), help="only this fault; repeatable")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with temporary_folder() as folder, prepared_stage(folder) as stage:
        for row in run_all(stage, faults=arguments.fault or list(FAULTS), points=arguments.point or list(POINTS)):
            rows.append(row)
            if not (arguments.point or arguments.fault):
                RESULTS.write_text(json.dumps([asdict(one) for one in rows], indent=2) + "\n", encoding="utf-8")
    bad = [row for row in rows if row.problems]
    sys.stdout.write(f"{len(rows)} faults, {len(bad)} with problems.\n")
    return 1 if bad else 0


@contextmanager
def prepared_stage(folder: Path) -> Iterator[Stage]:
    """Start a stack that stores files on a small disk and reaches the embeddings service through the proxy."""
    files = folder / "files"
    disk = SmallDisk.mounted(files)
    if disk is None:
        sys.stdout.write("Mounting a small disk is not permitted: the disk is not filled in this run.\n")
    with ExitStack() as stack:
        if disk:
            stack.callback(disk.unmount)
        proxy = stack.enter_context(FaultyProxy(stack.enter_context(embeddings(folder))).serving())
        failpoint = folder / "failpoint"
        failpoint.touch()
        settings = {
            "EMBEDDINGS_URL": proxy.url,
            "EMBEDDINGS_URL_TOKEN": _KEY,
            "MEDIA_ROOT": str(files),
            "PALIAPI_FAILPOINT": str(failpoint),
            "WORKER_PROCESSES": "2",
        }
        yield Stage(stack.enter_context(running(folder, **settings)), proxy, disk, failpoint, files)


@contextmanager
def embeddings(folder: Path) -> Iterator[str]:
    """Start the real service with the lexical model, and yield its URL."""
    port = free_port()
    changes = {"COLPALI_API_KEY": _KEY, "COLPALI_BACKEND": "lexical", "COLPALI_PORT": str(port)}
    with (folder / "embeddings.log").open("wb") as log:
        command = [sys.executable, "-m", "embeddings"]
        process = subprocess.Popen(command, cwd=env.ROOT, env=changes, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _is_up(f"{url}/ready"), "the embeddings service did not start")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_up(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def run_all(stage: Stage, *, faults: list[str], points: list[str]) -> Iterator[Row]:
    """Run all faults, one failpoint after the other, so that a killed process has time to recover."""
    for point in points:
        for fault in faults:
            if fault == "disk full" and stage.disk is None:
                continue
            row = Row(fault, point)
            try:
                run_one(stage, row)
            except (Stuck, httpx.HTTPError) as problem:
                row.problems.append(repr(problem))
            problems = "; ".join(row.problems) or "as it should be"
            sys.stdout.write(
                f"{fault:28} {point:20} {row.status:7} {row.recovery_s:6.1f} s  searches {row.searches_old} old,"
                f" {row.searches_new} new, {row.searches_unavailable} unavailable  {problems}\n"
            )
            sys.stdout.flush()
            yield row


def run_one(stage: Stage, row: Row) -> None:
    """Run one fault at one failpoint, and check everything afterwards."""
    collection = f"{row.fault} at {row.point}".replace(" ", "-").replace(":", "-")
    word = "x" + "".join(letter for letter in collection if letter.isalnum())
    texts = [f"{word} new {number}" for number in range(1, NEW_PAGES + 1)]
    with stage.stack.client() as client:
        upload(client, "a.pdf", lines(f"{word} old {number}" for number in range(OLD_PAGES)), collection=collection)
        until_ready(client, "a.pdf", within_s=_DEADLINE_S, collection=collection)
        with searching(stage.stack, word, collection=collection, old=OLD_PAGES, new=NEW_PAGES) as seen:
            stage.arm(f"{row.point}=stop#{collection}")
            upload(client, "a.pdf", lines(texts), collection=collection)
            scene = Scene(stage, collection, stage.stopped_worker())
            orphans_before = scene.orphans()
            stage.arm("")
            began = time.monotonic()
            FAULTS[row.fault](scene)
            if row.fault not in MAX_RECOVERY_S:
                began = time.monotonic()
            until(scene.is_done, "the document does not finish", within_s=_DEADLINE_S)
            row.recovery_s = round(time.monotonic() - began, 2)
            if scene.state()[0] == "ready":
                until(lambda: seen.counts["new"] > 0, "the new content is not found")
    row.status = scene.state()[0]
    row.searches_old, row.searches_new = seen.counts["old"], seen.counts["new"]
    row.searches_unavailable = seen.counts["unavailable"]
    with stage.stack.connect() as database:
        row.problems += checks.problems(database, collection, texts, stage.files)
    row.problems += [f"a search returned {wrong}" for wrong in sorted(set(seen.wrong))]
    if row.fault == "disk full" and scene.orphans() - orphans_before:
        row.problems.append("orphaned files are left")
    if row.recovery_s > MAX_RECOVERY_S.get(row.fault, _DEADLINE_S):
        row.problems.append("the recovery took too long")


if __name__ == "__main__":
    sys.exit(main())
