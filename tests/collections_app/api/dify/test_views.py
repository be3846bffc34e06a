"""Dify's external-knowledge API, called as Dify calls it."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import Someone, with_key, with_revoked_key
from tests.collections_app.api.dify.calling import PATH, body, failure, records


def test_all_names_every_collection(alice: Someone, library: list[int]) -> None:
    assert len(records(alice, knowledge_id="all")) == 5


def test_settings_limit_number_and_score(alice: Someone, library: list[int]) -> None:
    scores = [record["score"] for record in records(alice)]
    assert len(records(alice, retrieval_setting={"top_k": 1})) == 1
    assert len(records(alice, retrieval_setting={"top_k": None, "score_threshold": None})) == 3
    above = records(alice, retrieval_setting={"top_k": 5, "score_threshold": scores[0] - 0.001})
    assert [record["score"] for record in above] == scores[:1]


def test_metadata_condition_narrows_the_documents(alice: Someone, library: list[int]) -> None:
    def names(value: Any) -> set[str]:
        conditions = [{"name": "year", "comparison_operator": "≥", "value": value}]
        condition = {"logical_operator": "and", "conditions": conditions}
        answer = alice.post(PATH, body(knowledge_id="all", metadata_condition=condition))
        return {record["metadata"]["document_name"] for record in answer.json()["records"]}

    assert names("2000") == {"lighthouses.pdf"}
    assert names(1999) == {"lighthouses.pdf", "bread.pdf"}


def test_test_request_of_the_form_is_refused_only_for_a_wrong_key(alice: Someone) -> None:
    """Dify sends no body when an API is registered, and refuses it if the status is 403, 404 or 502."""
    right = Client().post(PATH, headers=alice.headers)
    assert right.status_code not in (403, 404, 502)
    wrong = Client().post(PATH, headers={"Authorization": f"Bearer {alice.key[:-1]}"})
    assert failure(wrong) == (403, 1002)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dTpw", "Bearer a b"])
def test_malformed_authorization_is_1001(header: str) -> None:
    headers = {"Authorization": header} if header else {}
    assert failure(Client().post(PATH, body(), content_type="application/json", headers=headers)) == (403, 1001)


def test_refused_keys_are_1002(alice: Someone) -> None:
    assert failure(with_revoked_key(alice.user).post(PATH, body())) == (403, 1002)
    assert failure(with_key(alice.user, scopes=frozenset({"read"})).post(PATH, body())) == (403, 1002)


def test_unreachable_collections_are_2001(alice: Someone, charlie: Someone, library: list[int]) -> None:
    assert failure(alice.post(PATH, body(knowledge_id="nowhere"))) == (404, 2001)
    assert failure(charlie.post(PATH, body())) == (404, 2001)
    assert failure(with_key(alice.user, collections=frozenset({"kitchen"})).post(PATH, body())) == (404, 2001)
