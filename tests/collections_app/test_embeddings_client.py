"""An embeddings service that hangs, and the threads of the web that wait for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event, Semaphore

import pytest
from pytest_django import Settings

from collections_app import embeddings_client
from collections_app.errors import EmbeddingsUnavailable
from embeddings.client import RetryPolicy
from embeddings.contract import VectorSpace
from tests.cast import Someone
from tests.collections_app.ingestion import embeddings_reply
from tests.collections_app.searchable import with_words
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

TOY = VectorSpace("toy", "1", 4)
SOON = RetryPolicy(connect_s=1, read_s=0.2, total_s=0.25, attempts=1)


@dataclass
class Hanging:
    """A service that takes questions, and answers once it is woken."""

    asked: list[ReceivedRequest]
    url: str
    taken: Semaphore
    awake: Event


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    awake, taken = Event(), Semaphore(0)

    def reply(asked: ReceivedRequest) -> Reply:
        taken.release()
        awake.wait(60)
        return embeddings_reply(TOY, asked)

    monkeypatch.setattr(embeddings_client, "_SOMEBODY_HURRIES", SOON)
    monkeypatch.setattr(embeddings_client, "_LOOK_AGAIN_S", 600.0)
    with scripted(reply) as server:
        yield Hanging(server.requests, server.url, taken, awake)
        awake.set()


def use(settings: Settings, service: Hanging) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=service.url, web_threads=4)


def ask(text: str) -> VectorSpace:
    return embeddings_client.question(text, at="/query")[0]


def test_it_holds_half_of_the_threads_and_answers_them_when_it_wakes(hanging: Hanging, settings: Settings) -> None:
    use(settings, hanging)
    with ThreadPoolExecutor(2) as threads:
        patient = [threads.submit(ask, f"patient {number}") for number in range(2)]
        assert all(hanging.taken.acquire(timeout=20) for _ in patient)
        with pytest.raises(EmbeddingsUnavailable):
            ask("one too many")
        assert len(hanging.asked) == 3
        for call in (lambda: ask("later"), lambda: embeddings_client.pages([b"an image"], at="/input_data")):
            with pytest.raises(EmbeddingsUnavailable) as refused:
                call()
            assert refused.value.retry_after_s
        assert len(hanging.asked) == 3, "nobody asks what was silent a moment ago"
        hanging.awake.set()
        assert [one.result() for one in patient] == [TOY, TOY]
    assert ask("and again") == TOY


def test_words_decide_at_once_after_the_first_has_waited(
    alice: Someone, service: str, hanging: Hanging, settings: Settings
) -> None:
    with_words(alice, "letter", ["invoice of the harbour"])
    use(settings, hanging)
    for number in range(3):
        question = {"query": f"invoice {number}", "allow_degraded": True, "include": ["receipt"], "images": "none"}
        told = alice.post("/v1/search/", question).json()
        assert told["receipt"]["degraded"] is True
        assert len(told["results"]) == 1
        assert len(hanging.asked) == 1
