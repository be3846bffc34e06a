"""Query vectors in Redis, shared by processes."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore

import numpy as np
import pytest
from pytest_django import Settings
from redis import Redis

from accounts.access import Caller
from collections_app.errors import EmbeddingsUntrustworthy
from collections_app.search import TextQuery, query, shared_queries
from collections_app.search.query import StoredQueryPages
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.shared_queries import Question
from tests.collections_app.ingestion import embeddings_reply
from tests.collections_app.searchable import TOY, random_vectors
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted
from tests.environment import Services

ALICE, BOB = (Caller.of_owner(number, email="") for number in (10**9, 10**9 + 1))
TEXT = "lighthouses of the north"


class Child:
    """A fork of this process that embeds a query on request, with the service at a URL."""

    def __init__(self, caller: Caller, settings: Settings) -> None:
        orders, self._order = os.pipe()
        self._answer, answers = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                for end in (self._order, self._answer):
                    os.close(end)  # so that it ends with its parent
                settings.ENV = replace(settings.ENV, embeddings_url=os.read(orders, 1000).decode())
                os.write(answers, embed(caller).vectors.tobytes())
            finally:
                os._exit(0)
        for end in (orders, answers):
            os.close(end)

    def start(self, url: str) -> None:
        os.write(self._order, url.encode())

    def vectors(self) -> bytes:
        """Return the child's vectors, once it has exited."""
        os.waitpid(self._pid, 0)
        content = os.read(self._answer, 10**6)
        for end in (self._order, self._answer):
            os.close(end)
        return content


def embed(caller: Caller, text: str = TEXT) -> QueryVectors:
    return query.embed(caller, TextQuery(text, at="/query"), StoredQueryPages())


@pytest.fixture(autouse=True)
def patient(services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use the Redis of the tests, and wait longer for it than searches do: the machine may be busy."""
    settings.ENV = replace(settings.ENV, redis_url=services.redis_url)
    monkeypatch.setattr(shared_queries, "_TIMEOUT_S", 10.0)
    shared_queries._redis_at.cache_clear()
    yield
    shared_queries._redis_at.cache_clear()


@pytest.fixture
def asked(settings: Settings) -> Question:
    """Return a question that no other test has asked."""
    settings.ENV = replace(settings.ENV, embeddings_url=f"http://127.0.0.1:9/{time.monotonic_ns()}")
    return shared_queries.question(ALICE.owner_id, TEXT)


def toy(seed: int = 1, *, count: int = 3) -> QueryVectors:
    return QueryVectors(TOY, random_vectors(seed, count=count))


def embed_once(asked: Question, vectors: QueryVectors, *, wait_s: float = 5.0) -> QueryVectors:
    return shared_queries.embed_once(asked, lambda: vectors, until=time.monotonic() + wait_s)


def test_question_is_embedded_once_by_two_processes_and_again_for_another_owner(settings: Settings) -> None:
    same, other = Child(ALICE, settings), Child(BOB, settings)
    with scripted(lambda request: embeddings_reply(TOY, request)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        first = embed(ALICE)
        same.start(server.url)
        assert same.vectors() == first.vectors.tobytes()
        assert len(server.requests) == 1
        other.start(server.url)
        assert other.vectors() == first.vectors.tobytes()
        assert len(server.requests) == 2


def test_concurrent_questions_of_threads_and_processes_are_embedded_once(settings: Settings) -> None:
    child = Child(ALICE, settings)
    accepted, released = Semaphore(0), Event()

    def reply(request: ReceivedRequest) -> Reply:
        accepted.release()
        released.wait(20)
        return embeddings_reply(TOY, request)

    with scripted(reply) as server, ThreadPoolExecutor(3) as threads:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        child.start(server.url)
        assert accepted.acquire(timeout=20)
        waiting = [threads.submit(embed, ALICE) for _ in range(3)]
        time.sleep(0.05)
        released.set()
        expected = child.vectors()
        assert [one.result().vectors.tobytes() for one in waiting] == [expected] * 3
        assert len(server.requests) == 1


def test_redis_holds_no_words(services: Services, asked: Question) -> None:
    embed_once(asked, toy())
    redis = Redis.from_url(services.redis_superuser_url)
    stored = redis.get(asked.place)
    assert isinstance(stored, bytes)
    assert 0 < redis.ttl(asked.place) <= shared_queries.SECONDS
    assert not redis.exists(asked.claim)
    for word in TEXT.split():
        assert word.encode() not in stored + asked.place.encode()


def test_what_another_question_or_program_has_stored_is_ignored(services: Services, asked: Question) -> None:
    redis = Redis.from_url(services.redis_superuser_url)
    first, second = toy(1), toy(2)
    embed_once(asked, first)
    content = redis.get(asked.place)
    assert isinstance(content, bytes)
    for stored in (b"", b"\0" * 100, content[:-1], content[:40] + b"x" + content[41:]):
        redis.set(asked.place, stored)
        assert shared_queries.get(asked) is None
        assert embed_once(asked, second) is second
    other = replace(asked, digest=asked.digest[:4] + b"\0" * 28)
    assert other.place == asked.place
    assert shared_queries.get(other) is None
    shared = shared_queries.get(asked)
    assert shared is not None
    assert (shared.space, np.array_equal(shared.vectors, second.vectors)) == (TOY, True)


def test_failure_lets_the_next_search_embed_at_once(asked: Question) -> None:
    def fail() -> QueryVectors:
        raise EmbeddingsUntrustworthy

    with pytest.raises(EmbeddingsUntrustworthy):
        shared_queries.embed_once(asked, fail, until=0)
    vectors = toy()
    assert embed_once(asked, vectors, wait_s=3600) is vectors


def test_claim_of_a_killed_process_delays_only_until_the_deadline(services: Services, asked: Question) -> None:
    Redis.from_url(services.redis_superuser_url).set(asked.claim, "1", px=60_000)
    vectors = toy()
    assert embed_once(asked, vectors, wait_s=0.02) is vectors


def test_too_many_vectors_are_not_shared(asked: Question) -> None:
    vectors = toy(count=10_000)
    assert embed_once(asked, vectors) is vectors
    assert shared_queries.get(asked) is None


def test_search_does_without_redis(asked: Question, settings: Settings, tmp_path: Path) -> None:
    settings.ENV = replace(settings.ENV, redis_url=f"unix://{tmp_path}/missing")
    vectors = toy()
    assert shared_queries.get(asked) is None
    assert embed_once(asked, vectors) is vectors
