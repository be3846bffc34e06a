"""A thousand documents from twenty clients while workers are killed at random: `python -m drills.thousand [COUNT]`

Each must become searchable, once. Prints what happened, and writes it to drills/results/thousand.json.
"""

import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.sample_pdf import lines
from benchmarks.harness.stack import Stack, descendants, running, temporary_folder
from benchmarks.harness.uploads import upload
from drills.chaos import checks
from paliapi.stack import processes

RESULTS = Path(__file__).parent / "results" / "thousand.json"
CLIENTS = 20
# Between two kills, at random; of ten, one is of the whole worker and the others of one of its processes.
_PAUSE_S = (4.0, 10.0)
_WHOLE = 0.1
_WITHOUT_CHANGE_S = 300.0
_COUNT = "SELECT status, count(*) FROM collections_app_revision GROUP BY 1"
_PAGES = """
SELECT d.name, array_agg(p.text) FROM collections_app_document d
LEFT JOIN collections_app_page p ON p.revision_id = d.shown_id GROUP BY d.id
"""


def main() -> int:
    """Run, print, write; 1 if a document is missing, twice there, or not ready."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with temporary_folder() as folder, running(folder, WORKER_PROCESSES="2") as stack:
        began = time.monotonic()
        with killing(stack) as kills:
            refused = upload_all(stack, count)
            uploaded_s = time.monotonic() - began
            until_at_rest(stack)
        took_s = time.monotonic() - began
        with stack.connect() as database:
            statuses = {str(status): int(str(number)) for status, number in database.execute(_COUNT).fetchall()}
            shown = {str(name): texts for name, texts in database.execute(_PAGES).fetchall()}
            problems = [*checks.books(database), *checks.files(database, stack.home.path / "files")]
    good = sum(shown.get(name) == [text] for name, text in wanted(count))
    told = {
        "documents": count,
        "clients": CLIENTS,
        "uploads_refused": refused,
        **{f"kills_{name}": number for name, number in sorted(kills.items())},
        "shown_once_as_sent": good,
        **{f"status_{name}": number for name, number in sorted(statuses.items())},
        "upload_s": round(uploaded_s, 1),
        "all_s": round(took_s, 1),
        "problems": len(problems),
    }
    sys.stdout.write(json.dumps(told, indent=2) + "\n" + "".join(f"{problem}\n" for problem in problems))
    if count == 1000:
        RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0 if good == len(shown) == statuses.get("ready") == count and not problems and not refused else 1


def wanted(count: int) -> Iterator[tuple[str, str]]:
    """The name of each document, and what its one page says."""
    for number in range(count):
        yield f"{number}.pdf", f"document number {number}"


def upload_all(stack: Stack, count: int) -> int:
    """All of them, by as many clients at once; how many were refused."""

    def one_client(mine: list[tuple[str, str]]) -> int:
        refused = 0
        with stack.client() as client:
            for name, text in mine:
                try:
                    upload(client, name, lines([text]))
                except Exception as problem:
                    sys.stdout.write(f"{name} was refused: {problem!r}\n")
                    refused += 1
        return refused

    documents = list(wanted(count))
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(one_client, [documents[number::CLIENTS] for number in range(CLIENTS)]))


def until_at_rest(stack: Stack) -> None:
    """Wait until every document is done; give up when nothing changes any more."""
    before, since = -1, time.monotonic()
    while True:
        with stack.connect() as database:
            statuses = {str(status): int(str(number)) for status, number in database.execute(_COUNT).fetchall()}
        left = sum(number for status, number in statuses.items() if status not in ("ready", "failed"))
        if not left:
            return
        if left != before:
            before, since = left, time.monotonic()
        if time.monotonic() - since > _WITHOUT_CHANGE_S:
            sys.stdout.write(f"{left} documents do not get done.\n")
            return
        time.sleep(1)


@contextmanager
def killing(stack: Stack) -> Iterator[Counter[str]]:
    """Kill workers at random while the block runs."""
    drawn = random.Random(7)  # noqa: S311 - nothing secret
    kills: Counter[str] = Counter()
    done = threading.Event()

    def kill() -> None:
        while not done.wait(drawn.uniform(*_PAUSE_S)):
            worker = stack.pid_of("worker")
            children = descendants(worker) if worker else []
            if not children:
                continue
            if drawn.random() < _WHOLE:
                processes.signal_group(worker, signal.SIGKILL)
                kills["of_whole_workers"] += 1
            else:
                processes.signal_one(drawn.choice(children), signal.SIGKILL)
                kills["of_processes"] += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield kills
    finally:
        done.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
