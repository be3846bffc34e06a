"""Breaks everything at every place: `python -m drills.chaos [--point NAME] [--fault NAME]`

A stack with all its processes gets a new content for a document that is searchable. A worker stops at a named point of
the pipeline, something breaks, and the document must end as if nothing had been, while its old content is found all
the time. Prints a line for each fault and point, and writes them to drills/results/chaos.json.

Where a document waits after an outage, the pause is cut short: `recovery_s` is the time from the end of the fault, or
from the kill, until the document is ready.
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
from drills.chaos.faults import FAULTS, MOST_RECOVERY_S
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
    """What became of one fault at one point."""

    fault: str
    point: str
    status: str = ""
    recovery_s: float = 0.0
    searches_old: int = 0
    searches_new: int = 0
    searches_unavailable: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Run, print, write; 1 if anything was not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m drills.chaos")
    parser.add_argument("--point", action="append", choices=POINTS, help="only here; may be given again")
    parser.add_argument("--fault", action="append", choices=list(FAULTS), help="only this; may be given again")
    wanted = parser.parse_args()
    rows: list[Row] = []
    with temporary_folder() as folder, prepared(folder) as stage:
        for row in played(stage, faults=wanted.fault or list(FAULTS), points=wanted.point or list(POINTS)):
            rows.append(row)
            if not (wanted.point or wanted.fault):
                RESULTS.write_text(json.dumps([asdict(one) for one in rows], indent=2) + "\n", encoding="utf-8")
    bad = [row for row in rows if row.problems]
    sys.stdout.write(f"{len(rows)} faults, {len(bad)} of them with problems.\n")
    return 1 if bad else 0


@contextmanager
def prepared(folder: Path) -> Iterator[Stage]:
    """A stack whose files lie on a small disk, and that asks for embeddings through the proxy."""
    files = folder / "files"
    disk = SmallDisk.mounted(files)
    if disk is None:
        sys.stdout.write("Mounting a small disk is not allowed here: no disk gets full in this run.\n")
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
    """The real service, with the lexical model; its URL."""
    port = free_port()
    changes = {"COLPALI_API_KEY": _KEY, "COLPALI_BACKEND": "lexical", "COLPALI_PORT": str(port)}
    with (folder / "embeddings.log").open("wb") as log:
        command = [sys.executable, "-m", "embeddings"]
        process = subprocess.Popen(command, cwd=env.ROOT, env=changes, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(f"{url}/ready"), "the embeddings service did not start")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def played(stage: Stage, *, faults: list[str], points: list[str]) -> Iterator[Row]:
    """Point by point, so that a process that is killed has run for a while when its turn comes again."""
    for point in points:
        for fault in faults:
            if fault == "disk full" and stage.disk is None:
                continue
            row = Row(fault, point)
            try:
                play(stage, row)
            except (Stuck, httpx.HTTPError) as problem:
                row.problems.append(repr(problem))
            told = "; ".join(row.problems) or "as it should be"
            sys.stdout.write(
                f"{fault:28} {point:20} {row.status:7} {row.recovery_s:6.1f} s  searches {row.searches_old} old,"
                f" {row.searches_new} new, {row.searches_unavailable} unavailable  {told}\n"
            )
            sys.stdout.flush()
            yield row


def play(stage: Stage, row: Row) -> None:
    """One fault at one point, and everything that must be true then."""
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
            nobodys = scene.orphans()
            stage.arm("")
            began = time.monotonic()
            FAULTS[row.fault](scene)
            if row.fault not in MOST_RECOVERY_S:
                began = time.monotonic()
            until(scene.is_done, "it is not done", within_s=_DEADLINE_S)
            row.recovery_s = round(time.monotonic() - began, 2)
            if scene.state()[0] == "ready":
                until(lambda: seen.counts["new"] > 0, "the new content is not found")
    row.status = scene.state()[0]
    row.searches_old, row.searches_new = seen.counts["old"], seen.counts["new"]
    row.searches_unavailable = seen.counts["unavailable"]
    with stage.stack.connect() as database:
        row.problems += checks.problems(database, collection, texts, stage.files)
    row.problems += [f"a search showed {wrong}" for wrong in sorted(set(seen.wrong))]
    if row.fault == "disk full" and scene.orphans() - nobodys:
        row.problems.append("files are left that nobody knows")
    if row.recovery_s > MOST_RECOVERY_S.get(row.fault, _DEADLINE_S):
        row.problems.append("that is too long")


if __name__ == "__main__":
    sys.exit(main())
