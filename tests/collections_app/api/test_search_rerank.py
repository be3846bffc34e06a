"""Searches with `rerank`, with a real embeddings service and a reranker that counts the query's words in a passage."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app import embeddings_client
from collections_app.models import Document, Page
from collections_app.search import reranking
from embeddings.client import RetryPolicy
from tests.cast import Someone, with_key
from tests.collections_app.api.finding import SEARCH, UNUSED_URL
from tests.collections_app.searchable import TOY, random_vectors, with_vectors, with_words
from tests.embeddings.counting import CountingReranker
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted
from tests.embeddings.serving import KEY, serving

QUERY = "tallest lighthouse of jeddah"
FILLER = " ".join(f"filler{number}" for number in range(8))
# To the lexical model, the first has all words of the query; to the reranker, each of its passages has one.
SCATTERED = f" {FILLER} ".join(QUERY.split())
TOGETHER = "the tallest lighthouse of all"


@pytest.fixture
def reranker(settings: Settings) -> Iterator[CountingReranker]:
    reranker = CountingReranker()
    with serving(reranker) as client:
        settings.ENV = replace(settings.ENV, embeddings_url=str(client.base_url), embeddings_url_token=KEY)
        yield reranker
        reranker.gate.set()


def ask(who: Someone, **body: Any) -> dict[str, Any]:
    answer = who.post(SEARCH, {"query": QUERY, "images": "none", "top_k": 9, "include": ["receipt"], **body})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def pages(payload: dict[str, Any]) -> list[int]:
    return [hit["page_id"] for hit in payload["results"]]


def refused(who: Someone, **body: Any) -> tuple[int, str]:
    answer = who.post(SEARCH, {"query": QUERY, "rerank": True, **body})
    return answer.status_code, answer.json()["code"]


def test_reranker_reorders_hits_and_scores_them(alice: Someone, reranker: CountingReranker) -> None:
    scattered, together, other = with_words(alice, "x", [SCATTERED, TOGETHER, "bread"])
    plain = ask(alice)
    assert pages(plain) == [scattered, together, other]
    assert plain["receipt"]["reranking"] is None
    assert "rerank_score" not in plain["results"][0]
    payload = ask(alice, rerank=True)
    assert pages(payload) == [together, scattered, other]
    scores = [hit["rerank_score"] for hit in payload["results"]]
    assert scores == pytest.approx([0.9526, 0.7311, 0.5], abs=1e-3)
    assert {hit["page_id"]: hit["raw_score"] for hit in payload["results"]} == {
        hit["page_id"]: hit["raw_score"] for hit in plain["results"]
    }
    receipt = payload["receipt"]
    assert receipt["reranking"] == {"model": "tests/counting", "revision": "1", "candidates": 3, "pages": 3}
    assert receipt["ms"]["rerank"] > 0
    assert receipt["degraded"] is False


def test_page_without_text_keeps_its_place(alice: Someone, reranker: CountingReranker) -> None:
    created = with_words(alice, "x", [SCATTERED, QUERY.removesuffix("jeddah"), TOGETHER])
    with acting_for(alice.id):
        Page.objects.filter(owner_id=alice.id, pk=created[1]).update(text=" \n")
    before = pages(ask(alice))
    payload = ask(alice, rerank=True)
    place = before.index(created[1])
    assert pages(payload)[place] == created[1]
    assert pages(payload) != before
    assert payload["results"][place]["rerank_score"] is None
    assert payload["receipt"]["reranking"]["pages"] == 2


@pytest.mark.parametrize("ranking", ["maxsim", "hybrid", "lexical"])
def test_every_ranking_can_be_reranked(alice: Someone, reranker: CountingReranker, ranking: str) -> None:
    scattered, together = with_words(alice, "x", [SCATTERED, TOGETHER])
    assert pages(ask(alice, rerank=True, ranking=ranking)) == [together, scattered]


@pytest.fixture
def seven(alice: Someone, reranker: CountingReranker, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the ids of seven pages, of which four are candidates."""
    monkeypatch.setattr(reranking, "CANDIDATES", 4)
    texts = [f" {FILLER} ".join(QUERY.split()[:count]) for count in (4, 3, 2)] + ["tallest", "bread", "tea"]
    return with_words(alice, "x", [*texts[:2], "of jeddah", *texts[2:]])


def test_offset_and_top_k_slice_the_reranked_order(alice: Someone, seven: list[int]) -> None:
    whole = pages(ask(alice, rerank=True))
    assert set(whole) == set(seven)
    slices = [pages(ask(alice, rerank=True, top_k=2, offset=offset)) for offset in range(0, 7, 2)]
    assert slices == [whole[:2], whole[2:4], whole[4:6], whole[6:]]


def test_pages_beyond_the_candidates_keep_their_order(
    alice: Someone, seven: list[int], reranker: CountingReranker
) -> None:
    plain = pages(ask(alice))
    payload = ask(alice, rerank=True)
    whole = pages(payload)
    assert whole[:4] != plain[:4]
    assert whole[4:] == plain[4:]
    assert [hit["rerank_score"] is None for hit in payload["results"]] == [False] * 4 + [True] * 3
    batches = len(reranker.batches)
    payload = ask(alice, rerank=True, offset=4)
    assert (pages(payload), payload["receipt"]["reranking"]) == (plain[4:], None)
    assert len(reranker.batches) == batches


def test_only_the_best_page_of_a_document_is_a_candidate(alice: Someone, reranker: CountingReranker) -> None:
    best, _ = with_words(alice, "x", [SCATTERED, TOGETHER])
    (other,) = with_words(alice, "y", ["lighthouse"])
    payload = ask(alice, rerank=True, group_by="document")
    assert pages(payload) == [best, other]
    assert payload["receipt"]["reranking"]["candidates"] == 2


def test_long_texts_are_cut(alice: Someone, reranker: CountingReranker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reranking, "MAX_TEXT_LENGTH", 9)
    with_words(alice, "x", [TOGETHER])
    ask(alice, rerank=True)
    assert reranker.batches[-1] == ["the talle"]


def test_texts_of_others_are_not_sent(alice: Someone, charlie: Someone, reranker: CountingReranker) -> None:
    with_words(charlie, "x", [f"{QUERY} of charlie"])
    (mine,) = with_words(alice, "x", [TOGETHER], collection="a")
    with_words(alice, "y", [f"{QUERY} out of reach"], collection="b")
    narrow = with_key(alice.user, collections=frozenset({"a"}))
    assert pages(ask(narrow, rerank=True)) == [mine]
    sent = " ".join(passage for batch in reranker.batches for passage in batch)
    assert TOGETHER in sent
    assert "charlie" not in sent
    assert "reach" not in sent


def test_page_that_is_replaced_meanwhile_is_not_a_hit(
    alice: Someone, reranker: CountingReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_words(alice, "x", [TOGETHER])
    (kept,) = with_words(alice, "y", [SCATTERED])
    rerank = embeddings_client.rerank

    def delete_and_rerank(*args: Any, **options: Any) -> Any:
        with acting_for(alice.id):
            Document.objects.filter(owner_id=alice.id, name="x").update(shown=None)
        return rerank(*args, **options)

    monkeypatch.setattr(embeddings_client, "rerank", delete_and_rerank)
    assert pages(ask(alice, rerank=True)) == [kept]


def test_nothing_is_sent_if_no_page_has_text(alice: Someone, reranker: CountingReranker) -> None:
    batches = len(reranker.batches)
    assert ask(alice, rerank=True)["results"] == []
    with_vectors(alice, "x", [random_vectors(1, count=2)], space=TOY)
    payload = ask(alice, rerank=True)
    assert payload["receipt"]["reranking"] is None
    assert len(reranker.batches) == batches


def test_query_without_text_cannot_be_reranked(alice: Someone, reranker: CountingReranker) -> None:
    with_words(alice, "x", [TOGETHER])
    page = {"document_name": "x", "page_number": 1}
    assert refused(alice, query=None, page=page) == (422, "ranking_needs_words")
    assert refused(alice, query=[{"page": page}]) == (422, "ranking_needs_words")
    assert ask(alice, query=[{"page": page}, {"text": QUERY}], rerank=True)["receipt"]["degraded"] is False


def test_query_that_is_too_long_for_the_reranker_is_refused(alice: Someone, reranker: CountingReranker) -> None:
    with_words(alice, "x", [TOGETHER])
    answer = alice.post(SEARCH, {"query": "lighthouse " * 9, "rerank": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "input_not_embeddable")
    assert answer.json()["errors"][0]["pointer"] == "/query"


def test_service_without_reranker_has_a_code_of_its_own(alice: Someone, service: str) -> None:
    with_words(alice, "x", [TOGETHER])
    assert refused(alice) == (409, "reranker_missing")
    assert refused(alice, allow_degraded=True) == (409, "reranker_missing")


def test_page_that_the_reranker_fails_on_is_not_the_clients_fault(alice: Someone, reranker: CountingReranker) -> None:
    with_words(alice, "x", [f"boom {TOGETHER}"])
    assert refused(alice) == (503, "embeddings_untrustworthy")
    payload = ask(alice, rerank=True, allow_degraded=True)
    assert (payload["receipt"]["degraded"], payload["receipt"]["reranking"]) == (True, None)
    assert "rerank_score" not in payload["results"][0]


def test_unreachable_service_is_reported_like_that_of_queries(
    alice: Someone, reranker: CountingReranker, settings: Settings
) -> None:
    with_words(alice, "x", [TOGETHER])
    settings.ENV = replace(settings.ENV, embeddings_url=UNUSED_URL)
    answer = alice.post(SEARCH, {"query": QUERY, "rerank": True, "ranking": "lexical"})
    assert (answer.status_code, answer.json()["code"]) == (503, "embeddings_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    degraded = ask(alice, rerank=True, ranking="lexical", allow_degraded=True)
    assert (degraded["receipt"]["degraded"], len(degraded["results"])) == (True, 1)


def test_hanging_reranker_does_not_keep_queries_from_being_embedded(
    alice: Someone, reranker: CountingReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_words(alice, "x", [TOGETHER])
    ask(alice)  # now the query is cached
    reranker.gate.clear()
    with monkeypatch.context() as patched:
        patched.setattr(embeddings_client, "_FAIL_FAST", RetryPolicy(connect_s=1, read_s=0.5, total_s=0.6, attempts=1))
        assert ask(alice, rerank=True, allow_degraded=True)["receipt"]["degraded"] is True
    assert ask(alice, query=f"{QUERY} again", allow_degraded=True)["receipt"]["degraded"] is False


def test_reranking_ends_at_the_deadline_of_the_search(
    alice: Someone, reranker: CountingReranker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_words(alice, "x", [TOGETHER])
    # Without the deadline, the client would wait until the model fails, which has another code.
    monkeypatch.setattr(embeddings_client, "_INTERACTIVE", RetryPolicy(read_s=600, total_s=600, attempts=1))
    settings.ENV = replace(settings.ENV, search_timeout_s=3)
    reranker.gate.clear()
    assert ask(alice, rerank=True, allow_degraded=True)["receipt"]["degraded"] is True
    assert refused(alice) == (503, "embeddings_unavailable")


def test_unusable_scores_are_refused(alice: Someone, settings: Settings) -> None:
    with_words(alice, "x", [TOGETHER])
    replies: list[Any] = [
        [],
        [{"index": 0, "relevance_score": 2}],
        [{"index": 1, "relevance_score": 0.5}],
        [{"index": 0, "relevance_score": "high"}],
        "none",
    ]

    def reply(_: ReceivedRequest) -> Reply:
        return Reply.json({"method": "cross_encoder", "results": replies[0]})

    with scripted(reply) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        while replies:
            assert refused(alice, ranking="lexical") == (503, "embeddings_untrustworthy"), replies[0]
            del replies[0]


def test_service_that_knows_no_methods_has_no_reranker(alice: Someone, settings: Settings) -> None:
    with_words(alice, "x", [TOGETHER])
    older = {"model": "paliapi/lexical-v1", "results": [{"index": 0, "relevance_score": 0.5}]}
    replies = [Reply.json(older), Reply.json({}, status=404)]
    with scripted(lambda _: replies.pop()) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        assert refused(alice, ranking="lexical") == (409, "reranker_missing")
        assert refused(alice, ranking="lexical") == (409, "reranker_missing")
    assert not replies
