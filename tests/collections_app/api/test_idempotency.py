"""Requests with an `Idempotency-Key` take effect once."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.models import Collection, IdempotentAnswer, Revision
from collections_app.storage import housekeeping
from tests.cast import Someone, someone, with_key
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.collections_app.documents import PDF, PNG

UPSERT = "/v1/documents/upsert-document/"


def test_repeated_creation_returns_the_stored_response(alice: Someone) -> None:
    first = alice.post("/v1/collections/", {"name": "c"}, Idempotency_Key="k1")
    with CaptureQueriesContext(connection) as captured:
        again = alice.post("/v1/collections/", {"name": "c"}, Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert not any("INSERT" in query["sql"] for query in captured)
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert alice.post("/v1/collections/", {"name": "c"}).status_code == 409


def test_repeated_upload_creates_no_second_revision(alice: Someone) -> None:
    answers = [_send_form(alice, PDF, key="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[0]["Location"] == answers[1]["Location"]
    with acting_for(alice.id):
        first = Revision.objects.get(owner_id=alice.id).pk
    _send_form(alice, PDF, key="k2")
    with acting_for(alice.id):
        assert Revision.objects.get(owner_id=alice.id).pk != first


def test_files_are_compared_by_their_bytes(alice: Someone) -> None:
    _send_form(alice, PDF, key="k1")
    reused = _send_form(alice, PNG, key="k1")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


def test_idempotency_keys_of_two_owners_are_independent(alice: Someone, charlie: Someone) -> None:
    for who in (alice, charlie):
        assert who.post("/v1/collections/", {"name": "c"}, Idempotency_Key="same").status_code == 201


@pytest.mark.parametrize("wait", [False, True])
def test_stored_upload_response_is_not_replayed_to_a_key_without_reach(alice: Someone, *, wait: bool) -> None:
    body = {"name": "x", "collection_name": "secret", "base64": base64.b64encode(PDF).decode(), "wait": wait}
    first = alice.post(UPSERT, body, Idempotency_Key="k")
    assert first.status_code == 202
    restricted = with_key(alice.user, collections=frozenset({"public"}))
    refused = restricted.post(UPSERT, body, Idempotency_Key="k")
    assert (refused.status_code, refused.json()["code"]) == (403, "collection_out_of_reach")
    assert "Idempotent-Replayed" not in refused
    assert alice.post(UPSERT, body, Idempotency_Key="k")["Idempotent-Replayed"] == "true"


def test_stored_collection_is_not_replayed_to_a_key_without_reach(alice: Someone) -> None:
    body = {"name": "secret", "metadata": {"codename": "x"}}
    assert alice.post("/v1/collections/", body, Idempotency_Key="k").status_code == 201
    restricted = with_key(alice.user, collections=frozenset({"public"}))
    refused = restricted.post("/v1/collections/", body, Idempotency_Key="k")
    assert (refused.status_code, refused.json()["code"]) == (403, "collection_out_of_reach")
    assert "Idempotent-Replayed" not in refused


@pytest.mark.parametrize("key", ["x" * 256, "with space", "ü"])
def test_malformed_idempotency_key_is_rejected(alice: Someone, key: str) -> None:
    refused = alice.post("/v1/collections/", {"name": "c"}, Idempotency_Key=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_invalid")


def test_failed_response_is_not_stored(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "c"})
    assert alice.post("/v1/collections/", {"name": "c"}, Idempotency_Key="k").status_code == 409
    alice.delete("/v1/collections/c/")
    assert alice.post("/v1/collections/", {"name": "c"}, Idempotency_Key="k").status_code == 201


def test_idempotency_key_expires_after_a_day(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "c"}, Idempotency_Key="k")
    _age_answers(alice)
    assert alice.post("/v1/collections/", {"name": "d"}, Idempotency_Key="k").status_code == 201
    _age_answers(alice)
    assert housekeeping.delete_expired_answers() == 1
    with acting_for(alice.id):
        assert not IdempotentAnswer.objects.filter(owner_id=alice.id).exists()


def test_stored_response_counts_towards_the_quota_until_it_expires(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, quota_mb=1)
    large = {"text": "x" * 250_000}
    for name in "ab":
        assert (
            alice.post("/v1/collections/", {"name": name, "metadata": large}, Idempotency_Key=name).status_code == 201
        )
    assert_usage_matches_rows(alice)
    refused = alice.post("/v1/collections/", {"name": "c", "metadata": large}, Idempotency_Key="c")
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert alice.get("/v1/collections/c/").status_code == 404
    _age_answers(alice)
    assert housekeeping.delete_expired_answers() == 2
    assert_usage_matches_rows(alice)
    assert alice.post("/v1/collections/", {"name": "c", "metadata": large}, Idempotency_Key="a").status_code == 201
    _age_answers(alice)
    assert alice.post("/v1/collections/", {"name": "d"}, Idempotency_Key="a").status_code == 201
    assert_usage_matches_rows(alice)


@pytest.mark.django_db(transaction=True)
def test_concurrent_identical_uploads_get_the_same_response() -> None:
    owner = someone("twins@example.com")
    body = {"name": "x", "base64": base64.b64encode(PDF).decode()}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: _send(owner, body), range(4)))
    assert [status for status, _ in answers] == [202] * 4
    assert len({payload for _, payload in answers}) == 1
    with acting_for(owner.id):
        assert Revision.objects.filter(owner_id=owner.id).count() == 1
        assert Collection.objects.filter(owner_id=owner.id).count() == 1


def _send(owner: Someone, body: dict[str, str]) -> tuple[int, str]:
    try:
        answer = owner.post(UPSERT, body, Idempotency_Key="twin")
        return answer.status_code, json.dumps(answer.json(), sort_keys=True)
    finally:
        connection.close()


def _send_form(who: Someone, content: bytes, *, key: str) -> Any:
    form = {"file": SimpleUploadedFile("f", content), "name": "x"}
    return who.upload(UPSERT, form, Idempotency_Key=key)


def _age_answers(who: Someone) -> None:
    with acting_for(who.id):
        IdempotentAnswer.objects.filter(owner_id=who.id).update(created_at=timezone.now() - timedelta(hours=25))
