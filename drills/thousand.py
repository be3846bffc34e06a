"""Upload a thousand documents from twenty clients while workers are killed at random: `make thousand`.

Checks that each becomes searchable exactly once. `in_flight_at_kills` is how many documents the workers held on average
when one was killed. Prints the outcome, and writes it to drills/results/thousand.json.
"""

import json
import random
import signal
import statistics
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
# The random pause between two kills; one kill in ten hits the whole worker, the others one of its processes.
_PAUSE_S = (4.0, 10.0)
_WHOLE_WORKER_SHARE = 0.1
_STALLED_AFTER_S = 300.0
_COUNT = "SELECT status, count(*) FROM collections_app_revision GROUP BY 1"
_IN_FLIGHT = "SELECT count(*) FROM collections_app_revision WHERE lease_until > now()"
_PAGES = """
SELECT d.name, array_agg(p.text) FROM collections_app_document d
LEFT JOIN collections_app_page p ON p.revision_id = d.shown_id GROUP BY d.id
"""


def main() -> int:
    """Run the drill; return 1 if a document is missing, duplicated or not ready."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with temporary_folder() as folder, running(folder, WORKER_PROCESSES="2") as stack:
        began = time.monotonic()
        with killing_workers(stack) as (kills, in_flight):
            rejected = upload_all(stack, count)
            uploaded_s = time.monotonic() - began
            wait_until_finished(stack)
        took_s = time.monotonic() - began
        with stack.connect() as database:
            statuses = {str(status): int(str(number)) for status, number in database.execute(_COUNT).fetchall()}
            shown = {str(name): texts for name, texts in database.execute(_PAGES).fetchall()}
            problems = [*checks.books(database), *checks.files(database, stack.home.path / "files")]
    correct = sum(shown.get(name) == [text] for name, text in expected_documents(count))
    report = {
        "documents": count,
        "clients": CLIENTS,
        "uploads_refused": rejected,
        **{f"kills_{name}": number for name, number in sorted(kills.items())},
        "in_flight_at_kills": round(statistics.mean(in_flight or [0]), 1),
        "shown_once_as_sent": correct,
        **{f"status_{name}": number for name, number in sorted(statuses.items())},
        "upload_s": round(uploaded_s, 1),
        "all_s": round(took_s, 1),
        "problems": len(problems),
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n" + "".join(f"{problem}\n" for problem in problems))
    if count == 1000:
        RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0 if correct == len(shown) == statuses.get("ready") == count and not problems and not rejected else 1


def expected_documents(count: int) -> Iterator[tuple[str, str]]:
    """Generate the name of each document and the text of its one page."""
    for number in range(count):
        yield f"{number}.pdf", f"document number {number}"


def upload_all(stack: Stack, count: int) -> int:
    """Upload all documents concurrently and return how many uploads were rejected."""

    def one_client(share: list[tuple[str, str]]) -> int:
        rejected = 0
        with stack.client() as client:
            for name, text in share:
                try:
                    upload(client, name, lines([text]))
                except Exception as problem:
                    sys.stdout.write(f"{name} was rejected: {problem!r}\n")
                    rejected += 1
        return rejected

    documents = list(expected_documents(count))
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(one_client, [documents[number::CLIENTS] for number in range(CLIENTS)]))


def wait_until_finished(stack: Stack) -> None:
    """Wait until every document is finished; give up when nothing changes any more."""
    previous, since = -1, time.monotonic()
    while True:
        with stack.connect() as database:
            statuses = {str(status): int(str(number)) for status, number in database.execute(_COUNT).fetchall()}
        left = sum(number for status, number in statuses.items() if status not in ("ready", "failed"))
        if not left:
            return
        if left != previous:
            previous, since = left, time.monotonic()
        if time.monotonic() - since > _STALLED_AFTER_S:
            sys.stdout.write(f"{left} documents do not finish.\n")
            return
        time.sleep(1)


@contextmanager
def killing_workers(stack: Stack) -> Iterator[tuple[Counter[str], list[int]]]:
    """Kill workers at random while the block runs; count the kills, and list how many documents were in flight."""
    rng = random.Random(7)  # noqa: S311 - nothing secret
    kills: Counter[str] = Counter()
    in_flight: list[int] = []
    done = threading.Event()

    def kill() -> None:
        while not done.wait(rng.uniform(*_PAUSE_S)):
            worker = stack.pid_of("worker")
            children = descendants(worker) if worker else []
            if not children:
                continue
            with stack.connect() as database:
                in_flight.append(int(str((database.execute(_IN_FLIGHT).fetchone() or (0,))[0])))
            if rng.random() < _WHOLE_WORKER_SHARE:
                processes.signal_group(worker, signal.SIGKILL)
                kills["of_whole_workers"] += 1
            else:
                processes.signal_one(rng.choice(children), signal.SIGKILL)
                kills["of_processes"] += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield kills, in_flight
    finally:
        done.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
