"""Evaluations and their runs through the API."""

from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from tests.cast import Someone, with_key
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.collections_app.evaluations.running import (
    QUESTIONS,
    create_evaluation,
    create_run,
    get_run,
    run_all,
    start_run,
)
from tests.collections_app.searchable import with_words

SEA = ["the tallest lighthouse stands in jeddah", "a lens bends light", "a keeper keeps a log"]


def relevant(*pages: int) -> list[dict[str, Any]]:
    return [{"document_name": "sea.pdf", "page_number": page} for page in pages]


@pytest.fixture
def sea(alice: Someone, service: str) -> None:
    with_words(alice, "sea.pdf", SEA)


def test_run_reports_measures_of_every_ranking_and_the_worst_questions_first(alice: Someone, sea: None) -> None:
    questions = [
        {"id": "easy", "text": "lens light", "relevant": relevant(2)},
        {"id": "wrong", "text": "tallest lighthouse", "relevant": relevant(3)},
    ]
    run = start_run(alice, create_evaluation(alice, questions))
    assert (run["status"], run["questions"], run["questions_done"]) == ("queued", 2, 0)
    run_all()
    done = get_run(alice, run)
    assert (done["status"], done["questions_done"], done["error"]) == ("done", 2, None)
    assert list(done["measures"]) == done["rankings"] == ["auto", "maxsim", "hybrid", "lexical"]
    assert done["measures"]["lexical"]["mrr"]["mean"] == 0.5, (
        "the first page matches one question, and no page the other"
    )
    assert done["measures"]["maxsim"]["recall1"]["mean"] == 0.5
    assert done["measures"]["maxsim"]["recall10"]["mean"] == 1
    assert "query" in done["timings"]["maxsim"]
    assert done["model"]
    worst, best = alice.get(f"/v1/evaluations/{run['evaluation_id']}/runs/{run['id']}/questions/").json()
    assert (worst["id"], worst["ranks"]["lexical"], worst["measures"]["lexical"]["mrr"]) == ("wrong", [None], 0)
    assert (best["id"], best["ranks"]["maxsim"], best["measures"]["maxsim"]["ndcg10"]) == ("easy", [1], 1)
    assert worst["relevant"] == [{"document_name": "sea.pdf", "page_number": 3, "grade": 1}]


def test_whole_documents_are_ranked_by_their_best_page(alice: Someone, sea: None) -> None:
    with_words(alice, "other.pdf", ["a lens"])
    questions = [{"id": "q", "text": "lens light", "relevant": [{"document_name": "other.pdf"}]}]
    run = start_run(alice, create_evaluation(alice, questions), rankings=["maxsim"])
    run_all()
    assert get_run(alice, run)["measures"]["maxsim"]["mrr"]["mean"] == 0.5, "second document, whatever its pages"


def test_contents_of_files_are_accepted(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "default_collection"})
    body = {
        "name": "Lights",
        "queries": '{"_id": "q1", "text": "tallest"}\n{"_id": "q2", "text": "not judged"}\n',
        "qrels": "query-id\tcorpus-id\tscore\nq1\tsea.pdf#1\t2\n",
    }
    created = alice.post("/v1/evaluations/", body)
    assert (created.status_code, created.json()["questions"]) == (201, 1)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"questions": []}, "/questions"),
        ({"questions": None}, "/questions"),
        ({"queries": "x", "qrels": "y"}, "/questions"),
        ({"questions": None, "queries": "x"}, "/questions"),
        ({"questions": QUESTIONS * 2}, "/questions/1/id"),
        ({"questions": [{**QUESTIONS[0], "relevant": [{"document_name": "a", "page_number": 0}]}]}, None),
        ({"questions": None, "queries": "x", "qrels": "y"}, "/queries"),
        ({"name": "x\u202e"}, "/name"),
        ({"more": 1}, "/more"),
    ],
)
def test_invalid_evaluation_is_refused_with_the_place(alice: Someone, change: Any, pointer: str | None) -> None:
    alice.post("/v1/collections/", {"name": "default_collection"})
    refused = alice.post("/v1/evaluations/", {"name": "x", "questions": QUESTIONS, **change})
    assert refused.status_code == 422
    assert pointer is None or pointer in [problem["pointer"] for problem in refused.json()["errors"]]
    assert alice.get("/v1/evaluations/").json() == []


def test_missing_pages_and_documents_are_reported_and_count_as_not_found(alice: Someone, sea: None) -> None:
    questions = [
        {
            "id": "q",
            "text": "tallest lighthouse",
            "relevant": [*relevant(1, 4), {"document_name": "no", "page_number": 1}],
        }
    ]
    run = start_run(alice, create_evaluation(alice, questions), rankings=["maxsim"])
    run_all()
    done = get_run(alice, run)
    assert done["missing_count"] == 2
    assert done["missing"] == [
        {"document_name": "sea.pdf", "page_number": 4},
        {"document_name": "no", "page_number": 1},
    ]
    assert done["measures"]["maxsim"]["recall100"]["mean"] == pytest.approx(1 / 3, abs=1e-6)


def test_runs_are_compared_by_pairs_of_questions(alice: Someone, sea: None) -> None:
    evaluation = create_evaluation(alice, [{"id": "q", "text": "beacon", "relevant": relevant(1)}])
    before = start_run(alice, evaluation, rankings=["lexical"])
    run_all()
    with_words(alice, "sea.pdf", ["a beacon"])
    after = start_run(alice, evaluation)
    url = f"/v1/evaluations/{evaluation}/runs/{after['id']}/comparison/?baseline="
    assert alice.get(f"{url}{before['id']}").json()["code"] == "evaluation_run_unfinished"
    run_all()
    comparison = alice.get(f"{url}{before['id']}").json()
    assert comparison["differences"].keys() == {"lexical"}
    assert comparison["differences"]["lexical"]["mrr"] == {"mean": 1, "low": 1, "high": 1}
    assert [alice.get(url + text).status_code for text in ("", "x", "-1", "9" * 30, "9" * 18)] == [422] * 4 + [404]


def test_only_one_run_of_an_evaluation_is_unfinished_and_it_can_be_cancelled(alice: Someone, sea: None) -> None:
    run = create_run(alice)
    url = f"/v1/evaluations/{run['evaluation_id']}/runs/"
    assert alice.post(url, {}).json()["code"] == "evaluation_running"
    assert alice.post(f"{url}{run['id']}/cancel/", "").json()["status"] == "cancelled"
    assert alice.post(f"{url}{run['id']}/cancel/", "").json()["code"] == "evaluation_run_over"
    run_all()
    assert get_run(alice, run)["status"] == "cancelled"
    assert alice.get(f"{url}{run['id']}/questions/").json()["code"] == "evaluation_run_unfinished"


def test_deleting_releases_the_quota(alice: Someone, sea: None) -> None:
    first, second = create_run(alice), create_run(alice)
    assert_usage_matches_rows(alice)
    assert alice.delete(f"/v1/evaluations/{first['evaluation_id']}/runs/{first['id']}/").status_code == 204
    assert_usage_matches_rows(alice)
    assert alice.delete(f"/v1/evaluations/{first['evaluation_id']}/").status_code == 204
    assert_usage_matches_rows(alice)
    assert [row["runs"] for row in alice.get("/v1/evaluations/").json()] == [1]
    alice.delete("/v1/collections/default_collection/")
    assert_usage_matches_rows(alice)
    assert alice.get(f"/v1/evaluations/{second['evaluation_id']}/").status_code == 404
    run_all()


def test_repeated_requests_with_a_key_take_effect_once(alice: Someone, sea: None) -> None:
    body = {"name": "x", "questions": QUESTIONS}
    ids = [alice.post("/v1/evaluations/", body, Idempotency_Key="a").json()["id"] for _ in range(2)]
    runs = [alice.post(f"/v1/evaluations/{ids[0]}/runs/", {}, Idempotency_Key="b") for _ in range(2)]
    assert ids[0] == ids[1]
    assert [run.status_code for run in runs] == [202, 202]
    assert runs[0].json()["id"] == runs[1].json()["id"]


def test_numbers_of_evaluations_and_runs_are_limited(alice: Someone, sea: None, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_evaluations=1, max_evaluation_runs=1)
    run = create_run(alice)
    body = {"name": "x", "questions": QUESTIONS}
    assert alice.post("/v1/evaluations/", body).json()["code"] == "too_many_evaluations"
    run_all()
    refused = alice.post(f"/v1/evaluations/{run['evaluation_id']}/runs/", {})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_evaluation_runs")


def names(who: Someone, query: str = "") -> list[str]:
    return [row["collection_name"] for row in who.get(f"/v1/evaluations/{query}").json()]


def test_list_has_only_evaluations_of_collections_in_reach(alice: Someone, charlie: Someone, sea: None) -> None:
    alice.post("/v1/collections/", {"name": "other"})
    create_evaluation(alice)
    create_evaluation(alice, collection="other")
    restricted = with_key(alice.user, collections=frozenset({"other"}))
    assert names(alice) == ["default_collection", "other"]
    assert names(alice, "?collection_name=other") == names(restricted) == ["other"]
    assert names(alice, "?collection_name=%00") == names(charlie) == []
