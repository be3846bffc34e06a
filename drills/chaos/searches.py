"""Somebody who searches all the time while things break, and remembers what came back."""

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
    """How many answers were of which kind; `wrong` are those that showed neither the old content nor the new one."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@contextmanager
def searching(stack: Stack, word: str, *, collection: str, old: int, new: int) -> Iterator[Seen]:
    """Ask for a word that is on every page of the one document there: `old` pages first, `new` ones later."""
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
    asked = {"query": word, "collection_name": collection, "top_k": 100, "images": "none"}
    try:
        answer = client.post("/v1/search/", json=asked)
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
