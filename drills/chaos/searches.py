"""A client that searches continuously while faults are injected, and records the results."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from benchmarks.harness.stack import Stack

_PAUSE_S = 0.1


@dataclass
class Seen:
    """The number of responses of each kind; `wrong` lists those with neither the old nor the new content."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@contextmanager
def searching(stack: Stack, word: str, *, collection: str, old: int, new: int) -> Iterator[Seen]:
    """Search for a word on every page of the only document: first the `old` number of pages, later the `new` one."""
    seen, done = Seen(), threading.Event()

    def ask() -> None:
        with stack.client(timeout_s=120) as client:
            while not done.is_set():
                _once(client, seen, word, collection, {old: "old", new: "new"})
                time.sleep(_PAUSE_S)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _once(client: httpx.Client, seen: Seen, word: str, collection: str, kinds: dict[int, str]) -> None:
    body = {"query": word, "collection_name": collection, "top_k": 100, "images": "none"}
    try:
        answer = client.post("/v1/search/", json=body)
    except httpx.TransportError as problem:
        seen.wrong.append(repr(problem))
        return
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        seen.counts["unavailable"] += 1
        return
    hits = len(answer.json()["results"]) if answer.status_code == HTTPStatus.OK else -answer.status_code
    if hits in kinds:
        seen.counts[kinds[hits]] += 1
    else:
        seen.wrong.append(f"{hits} hits")
