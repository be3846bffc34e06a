"""Batches that are embedded beside the worker's own work."""

import threading
from dataclasses import replace

import pytest
from pytest_django import Settings

from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval.sketch import small
from collections_app.ingest import embed_pages
from collections_app.ingest.embed_pages import PageFailed
from embeddings.contract import VectorSpace
from tests.collections_app.engine.rendering.samples import picture
from tests.collections_app.ingestion import embeddings_reply
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

SPACE = VectorSpace("toy", "1", 4)
DEADLINE_S = 20


def page(number: int) -> RenderedPage:
    return RenderedPage(
        number=number, total=9, image=picture("PNG"), content_type="image/png", width=20, height=10, text="x"
    )


def test_who_asks_goes_on_and_gets_the_batches_in_order(settings: Settings) -> None:
    wanted = threading.Event()

    def reply(asked: ReceivedRequest) -> Reply:
        assert wanted.wait(DEADLINE_S)
        return embeddings_reply(SPACE, asked, rows=len(asked.json()["inputs"]))

    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        with embed_pages.background_embedder(may_skip=False) as embed:
            first, second = embed([page(1), page(2)]), embed([page(3)])
            assert not first.done()
            wanted.set()
            made = [future.result(DEADLINE_S) for future in (first, second)]
        assert [sorted(one.pages) for one in made] == [[1, 2], [3]]
        assert [one.spaces for one in made] == [{SPACE}, {SPACE}]
        assert [len(one["inputs"]) for one in (asked.json() for asked in server.requests)] == [2, 1]
    kept = made[0].pages[2]
    assert kept.small == small(kept.multi_vector.vectors)


def test_what_is_refused_is_told_or_ends_the_batch(settings: Settings) -> None:
    def reply(asked: ReceivedRequest) -> Reply:
        inputs = asked.json()["inputs"]
        return (
            Reply.json({"detail": "No."}, status=422) if len(inputs) > 1 or wanted else embeddings_reply(SPACE, asked)
        )

    wanted: list[bool] = []
    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        with embed_pages.background_embedder(may_skip=True) as embed:
            assert sorted(embed([page(1), page(2)]).result(DEADLINE_S).pages) == [1, 2]
            assert embed([]).result(DEADLINE_S).spaces == set()
            wanted.append(True)
            made = embed([page(1), page(2)]).result(DEADLINE_S)
            assert (made.pages, sorted(made.refused)) == ({}, [1, 2])
        with embed_pages.background_embedder(may_skip=False) as embed, pytest.raises(PageFailed) as refused:
            embed([page(4), page(5)]).result(DEADLINE_S)
    assert refused.value.page == 4
