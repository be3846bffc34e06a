"""Kinds of queries and rankings: lexical, hybrid, crops, and several parts."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from tests.cast import Someone, with_key
from tests.collections_app.api.finding import SEARCH, UNUSED_URL
from tests.collections_app.documents import PNG
from tests.collections_app.searchable import TOY, random_vectors, with_vectors, with_words
from tests.embeddings.serving import encoded, text_image

INVOICES = ["Invoice INV-2023-0041 total due", "Invoice INV-2023-0042 total due", "a letter about lighthouses"]


@pytest.fixture
def office(alice: Someone, service: str) -> list[int]:
    return with_words(alice, "invoices.pdf", INVOICES)


def ask(who: Someone, **body: Any) -> dict[str, Any]:
    answer = who.post(SEARCH, {"images": "none", "top_k": 9, "include": ["receipt"], **body})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def pages(payload: dict[str, Any]) -> list[int]:
    return [hit["page_id"] for hit in payload["results"]]


def page(number: int, **more: Any) -> dict[str, Any]:
    return {"document_name": "invoices.pdf", "page_number": number, **more}


def refused(who: Someone, body: dict[str, Any]) -> tuple[int, str, str]:
    answer = who.post(SEARCH, body)
    payload = answer.json()
    places = [place["pointer"] for place in payload.get("errors", ())]
    return answer.status_code, payload["code"], places[0] if places else ""


def test_hybrid_ranks_an_identifier_higher_than_maxsim_does(alice: Someone, service: str) -> None:
    # In another spelling it is a different word to the model.
    invoices = [f"the invoice INV2023004{number} is due" for number in (1, 3, 4, 5)]
    *_, meant = with_words(alice, "x", [*invoices, "INV20230042"])
    question = "Is the invoice INV-2023-0042 due?"
    assert pages(ask(alice, query=question, ranking="maxsim"))[-1] == meant
    assert pages(ask(alice, query=question, ranking="hybrid"))[0] == meant
    assert pages(ask(alice, query=question, ranking="lexical"))[0] == meant


def test_hybrid_returns_both_ranks_and_exact_scores(alice: Someone, office: list[int]) -> None:
    scored = {hit["page_id"]: hit for hit in ask(alice, query="invoice due 0042", ranking="maxsim")["results"]}
    payload = ask(alice, query="invoice due 0042", ranking="hybrid")
    for hit in payload["results"]:
        assert hit["raw_score"] == scored[hit["page_id"]]["raw_score"]
        assert hit["ranks"]["maxsim"] == list(scored).index(hit["page_id"]) + 1
    assert [hit["ranks"]["lexical"] for hit in payload["results"]] == [1, 2, None]
    fused = [hit["ranks"]["fused"] for hit in payload["results"]]
    assert fused == sorted(fused, reverse=True)
    assert payload["receipt"]["ranking"] == "hybrid"
    assert payload["receipt"]["pages_matched"] == 2
    assert "ranks" not in next(iter(scored.values()))


def without_vectors(who: Someone) -> list[int]:
    return with_vectors(who, "scans.pdf", [None] * len(INVOICES), texts=INVOICES)


@pytest.mark.parametrize("cached", [False, True])
def test_hybrid_ranks_by_text_alone_if_no_page_has_vectors(
    alice: Someone, service: str, settings: Settings, cached: bool
) -> None:
    query = "Invoice INV-2023-0042"
    if cached:
        with_words(alice, "x", ["a page with vectors"], collection="other")
        ask(alice, query=query, collection_name="other")
    settings.ENV = replace(settings.ENV, embeddings_url=service if cached else UNUSED_URL)
    first, second, _ = without_vectors(alice)
    body = ask(alice, query=query, collection_name="default_collection", ranking="hybrid")
    assert pages(body) == [second, first]
    hit, receipt = body["results"][0], body["receipt"]
    assert (hit["raw_score"], hit["ranks"]) == (None, {"maxsim": None, "lexical": 1, "fused": None})
    assert (receipt["ranking"], receipt["mode"], receipt["degraded"]) == ("lexical", "lexical", False)
    assert (receipt["pages_in_scope"], receipt["pages_matched"], receipt["pages_left_out"]) == (3, 2, 0)
    scored = ask(alice, query=query, collection_name="default_collection", ranking="hybrid", min_score=0)
    assert (scored["results"], scored["receipt"]["pages_matched"]) == ([], 2)


@pytest.mark.parametrize("ranking", ["auto", "maxsim"])
def test_only_hybrid_and_lexical_rank_pages_without_vectors(alice: Someone, service: str, ranking: str) -> None:
    without_vectors(alice)
    for _ in range(2):
        body = ask(alice, query="Invoice INV-2023-0042", ranking=ranking)
        receipt = body["receipt"]
        assert (body["results"], receipt["ranking"], receipt["mode"]) == ([], "maxsim", "exact")
        assert (receipt["pages_in_scope"], receipt["pages_left_out"]) == (3, 3)
        # Now the query is cached.
        with_words(alice, "x", ["a page with vectors"], collection="other")
        ask(alice, query="Invoice INV-2023-0042", ranking=ranking, collection_name="other")
        assert alice.delete("/v1/collections/other/").status_code == 204


def test_auto_is_hybrid_for_numbers_and_identifiers_if_the_model_is_text_only(
    alice: Someone, office: list[int]
) -> None:
    assert ask(alice, query="invoice 0042")["receipt"]["ranking"] == "hybrid"
    assert ask(alice, query="where is total_due set")["receipt"]["ranking"] == "hybrid"
    assert ask(alice, query="invoice")["receipt"]["ranking"] == "maxsim"
    assert ask(alice, page=page(1))["receipt"]["ranking"] == "maxsim"
    assert not replace(TOY, model="vidore/colpali-v1.3").text_only


def test_lexical_needs_no_embeddings_service_and_has_no_scores(
    alice: Someone, office: list[int], settings: Settings
) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=UNUSED_URL)
    payload = ask(alice, query="inv20230042 lighthouses", ranking="lexical")
    assert set(pages(payload)) == {office[1], office[2]}
    hit = payload["results"][0]
    assert (hit["raw_score"], hit["normalized_score"], hit["ranks"]["lexical"]) == (None, None, 1)
    receipt = payload["receipt"]
    assert (receipt["mode"], receipt["ranking"], receipt["degraded"]) == ("lexical", "lexical", False)
    assert (receipt["space"], receipt["pages_left_out"], receipt["pages_matched"]) == (None, 0, 2)
    assert ask(alice, query="zeppelin", ranking="lexical")["results"] == []


@pytest.mark.parametrize("ranking", ["hybrid", "lexical"])
def test_offset_and_group_by_slice_the_same_ranking(alice: Someone, office: list[int], ranking: str) -> None:
    for number in range(3):
        with_words(alice, f"more-{number}", [f"invoice {number}", "invoice of invoices"])
    whole = pages(ask(alice, query="invoice due", ranking=ranking))
    assert len(whole) == len(set(whole)) >= 8
    assert pages(ask(alice, query="invoice due", ranking=ranking, top_k=3, offset=2)) == whole[2:5]
    grouped = ask(alice, query="invoice due", ranking=ranking, group_by="document")["results"]
    firsts: dict[str, int] = {}
    for hit in ask(alice, query="invoice due", ranking=ranking)["results"]:
        firsts.setdefault(hit["document_name"], hit["page_id"])
    assert [hit["page_id"] for hit in grouped] == list(firsts.values())


def test_min_score_applies_to_hybrid_ranking(alice: Someone, office: list[int]) -> None:
    payload = ask(alice, query="invoice due", ranking="hybrid", min_score=0.5)
    assert set(pages(payload)) == set(office[:2])


def test_degraded_search_ranks_by_words_if_allowed(alice: Someone, office: list[int], settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=UNUSED_URL)
    payload = ask(alice, query="INV-2023-0042", allow_degraded=True)
    assert pages(payload)[0] == office[1]
    assert (payload["receipt"]["degraded"], payload["receipt"]["ranking"]) == (True, "lexical")
    answer = alice.post(SEARCH, {"query": "INV-2023-0042", "ranking": "hybrid"})
    assert (answer.status_code, answer.json()["code"]) == (503, "embeddings_unavailable")
    assert answer["Retry-After"]


def test_response_is_not_degraded_while_the_service_is_available(alice: Someone, office: list[int]) -> None:
    assert ask(alice, query="invoice", allow_degraded=True)["receipt"]["degraded"] is False


def test_crop_queries_with_the_vectors_in_the_box_without_a_model(
    alice: Someone, office: list[int], settings: Settings
) -> None:
    boxes = [[0.1, 0.1, 0.3, 0.2], [0.6, 0.6, 0.9, 0.7], None]
    rows = random_vectors(5, count=3)
    with_vectors(alice, "cropped", [rows], layouts=[{"kind": "boxes", "boxes": boxes}], collection="toys")
    upper, lower = with_vectors(alice, "twins", [rows[:1], rows[1:2]], collection="toys")
    settings.ENV = replace(settings.ENV, embeddings_url=UNUSED_URL)
    crop = {"document_name": "cropped", "collection_name": "toys", "page_number": 1}

    def best(*box: float) -> dict[str, Any]:
        return dict(ask(alice, crop={**crop, "box": list(box)}, collection_name="toys")["results"][0])

    assert (best(0, 0, 1, 0.5)["page_id"], best(0, 0.5, 1, 1)["page_id"]) == (upper, lower)
    assert best(0, 0, 1, 0.5)["normalized_score"] == pytest.approx(1, abs=1e-3)
    assert refused(alice, {"crop": {**crop, "box": [0.4, 0.3, 0.5, 0.4]}})[:2] == (422, "crop_empty")
    without = {"document_name": "twins", "collection_name": "toys", "page_number": 1, "box": [0, 0, 1, 1]}
    assert refused(alice, {"crop": without})[:2] == (409, "page_without_layout")


def test_parts_are_combined_and_negative_weights_lower_the_rank(alice: Someone, office: list[int]) -> None:
    first, second, third = office
    plain = [{"text": "invoice"}, {"text": "total"}]
    assert set(pages(ask(alice, query=plain))[:2]) == {first, second}
    avoiding = ask(alice, query=[{"text": "invoice"}, {"text": "0041 INV-2023-0041", "weight": -0.9}])
    assert pages(avoiding)[0] == second
    assert avoiding["query"] == ""
    both = ask(alice, query=[{"text": "lighthouses", "weight": 2}, {"page": page(1), "weight": 0.1}], ranking="maxsim")
    assert pages(both) == [third, second]  # the page of the query is not among the hits
    assert all(-1 <= hit["normalized_score"] <= 1 for hit in both["results"])


def test_image_and_text_can_be_combined(alice: Someone, service: str) -> None:
    dark = encoded(text_image("dark", "DARK", "darker"))
    (search_hits,) = with_words(alice, "dark", ["night"], image=base64.b64decode(dark))
    payload = ask(alice, query=[{"image": dark}, {"text": "night", "weight": 3}])
    assert (pages(payload), payload["receipt"]["ranking"]) == ([search_hits], "maxsim")


def test_single_part_scores_like_a_plain_query(alice: Someone, office: list[int]) -> None:
    alone, listed = (ask(alice, query=query)["results"] for query in ("invoice due", [{"text": "invoice due"}]))
    assert [(hit["page_id"], hit["raw_score"]) for hit in alone] == [
        (hit["page_id"], hit["raw_score"]) for hit in listed
    ]


def test_parts_of_different_models_are_rejected(alice: Someone, office: list[int]) -> None:
    with_vectors(alice, "toy", [random_vectors(1, count=2)])
    parts = [{"text": "invoice"}, {"page": {"document_name": "toy", "page_number": 1}}]
    assert refused(alice, {"query": parts})[:2] == (409, "query_mixes_spaces")


def test_query_vectors_are_limited(alice: Someone, service: str) -> None:
    with_vectors(alice, "long", [random_vectors(1, count=5000), random_vectors(2, count=1)])
    part = {"page": {"document_name": "long", "page_number": 1}}
    assert refused(alice, {"query": [part, part]})[:2] == (413, "query_too_long")


def test_parts_are_limited_to_the_collections_of_the_key(alice: Someone, office: list[int], charlie: Someone) -> None:
    with_words(alice, "mine", ["x"], collection="elsewhere")
    with_words(charlie, "theirs", ["x"])
    for body in ({"page": page(1)}, {"crop": page(1, box=[0, 0, 1, 1])}, {"query": [{"page": page(1)}]}):
        assert refused(charlie, body)[:2] == (404, "document_not_found")
        limited = with_key(alice.user, collections=frozenset({"elsewhere"}))
        assert refused(limited, body)[0] == 404


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"query": []}, "invalid", "/query"),
        ({"query": [{}]}, "invalid", "/query/0"),
        ({"query": [{"text": "a", "image": "b"}]}, "invalid", "/query/0"),
        ({"query": ["words"]}, "invalid", "/query/0"),
        ({"query": {"text": "words"}}, "invalid", "/query"),
        ({"query": [{"text": " "}]}, "invalid", "/query/0/text"),
        ({"query": [{"text": "x" * 10_001}]}, "invalid", "/query/0/text"),
        ({"query": [{"text": "x", "weight": 0}]}, "invalid", "/query/0/weight"),
        ({"query": [{"text": "x", "weight": 11}]}, "invalid", "/query/0/weight"),
        ({"query": [{"text": "x", "weight": 1}, {"text": "y", "weight": "1"}]}, "invalid", "/query/1/weight"),
        ({"query": [{"text": "x"}] * 9}, "invalid", "/query"),
        ({"query": [{"text": "x", "weight": -1}]}, "query_only_avoids", "/query"),
        ({"query": [{"image": "AAA"}]}, "base64_invalid", "/query/0/image"),
        ({"query": [{"image": base64.b64encode(PNG[:20]).decode()}]}, "file_damaged", "/query/0/image"),
        ({"query": "x", "crop": page(1, box=[0, 0, 1, 1])}, "query_ambiguous", "/crop"),
        ({"crop": page(1)}, "invalid", "/crop/box"),
        ({"crop": page(1, box=[0, 0, 1])}, "invalid", "/crop/box"),
        ({"crop": page(1, box=[0, 0, 1, 1.5])}, "invalid", "/crop/box/3"),
        ({"crop": page(1, box=[0.5, 0, 0.5, 1])}, "invalid", "/crop/box"),
        ({"crop": page(1, box=[0, 0, "nan", 1])}, "invalid", "/crop/box/2"),
        ({"page": page(1), "ranking": "hybrid"}, "ranking_needs_words", ""),
        ({"query": [{"page": page(1)}], "ranking": "lexical"}, "ranking_needs_words", ""),
        ({"query": "x", "ranking": "bm25"}, "invalid", "/ranking"),
        ({"query": "x", "ranking": "lexical", "min_score": 0.1}, "ranking_without_scores", "/min_score"),
        ({"query": "x", "allow_degraded": True, "min_score": 0.1}, "ranking_without_scores", "/min_score"),
        ({"query": "x", "allow_degraded": "perhaps"}, "invalid", "/allow_degraded"),
    ],
    ids=range(26),
)
def test_invalid_request_is_rejected_with_its_pointer(
    alice: Someone, office: list[int], body: dict[str, Any], code: str, pointer: str
) -> None:
    status, search_hits, place = refused(alice, body)
    assert (status, search_hits, place) == (422, code, pointer)
