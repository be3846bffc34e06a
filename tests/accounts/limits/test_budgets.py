"""What requests cost their key and its owner."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rate_limits import Bucket, Slot, TooManyAtOnce, spend_from
from accounts.views import OwnedView
from tests.cast import Someone, with_key
from tests.statements import statements


class View(OwnedView):
    costs = {"GET": 3, "POST": 1}
    scopes = {"POST": "read"}

    def get(self, _request: Request) -> Response:
        return Response()

    def post(self, request: Request) -> Response:
        self.charge(int(request.query_params.get("charge", 0)))
        self.owe(int(request.query_params.get("owe", 0)))
        return Response()


def call(someone: Someone, method: str = "GET", query: str = "") -> Any:
    return View.as_view()(RequestFactory().generic(method, f"/{query}", headers=someone.headers))


@pytest.fixture
def slow_refill(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, rate_per_minute=1, rate_burst=10, rate_owner_factor=2)


@pytest.mark.usefixtures("slow_refill")
def test_headers_announce_the_budgets_of_key_and_owner(alice: Someone) -> None:
    first = alice.get("/v1/me/")
    assert first["RateLimit-Policy"] == '"key";q=10;w=600, "owner";q=20;w=600'
    assert first["RateLimit"] == '"key";r=9;t=60, "owner";r=19;t=30'
    second = alice.delete("/v1/documents/absent/")
    assert second["RateLimit"].startswith('"key";r=7;'), "a deletion costs two"


@pytest.mark.usefixtures("slow_refill")
def test_all_keys_of_an_owner_share_its_budget(alice: Someone, charlie: Someone) -> None:
    keys = [alice, *(with_key(alice.user) for _ in range(3))]
    answers = [call(key).status_code for key in keys for _ in range(3)]
    assert answers.count(200) == 6, "six of three units are eighteen of twenty"
    assert answers[:6] == [200] * 6
    assert call(charlie).status_code == 200


@pytest.mark.usefixtures("slow_refill")
def test_options_are_charged_before_the_work(alice: Someone) -> None:
    assert call(alice, "POST", "?charge=5").status_code == 200
    refused = call(alice, "POST", "?charge=4")
    assert (refused.status_code, b"rate_limited" in refused.content) == (429, True)
    assert [call(alice, "POST").status_code for _ in range(3)] == [200] * 3
    assert call(alice, "POST").status_code == 429, "the base cost of the refused request was spent"


@pytest.mark.usefixtures("slow_refill")
def test_options_may_cost_more_than_a_full_bucket(alice: Someone) -> None:
    assert call(alice, "POST", "?charge=18").status_code == 200
    assert 60 * 9 < int(call(alice, "POST")["Retry-After"]) <= 60 * 10


@pytest.mark.usefixtures("slow_refill")
def test_what_is_owed_has_to_be_paid_before_the_next_request(alice: Someone) -> None:
    assert call(alice, "POST", "?owe=25").status_code == 200
    refused = call(alice, "POST")
    assert refused.status_code == 429
    assert 60 * 16 < int(refused["Retry-After"]) <= 60 * 17
    assert call(with_key(alice.user), "POST").status_code == 429, "the owner owes it as well"


@pytest.mark.usefixtures("slow_refill")
def test_debt_is_limited(alice: Someone) -> None:
    call(alice, "POST", "?owe=100000")
    assert int(call(alice, "POST")["Retry-After"]) <= 60 * 41


@pytest.mark.usefixtures("slow_refill")
def test_key_without_budget_is_refused_before_the_database(alice: Someone) -> None:
    while call(alice, "POST").status_code == 200:
        pass
    with statements() as sent:
        assert alice.get("/v1/me/").status_code == 429
    assert sent == []
    assert with_key(alice.user).get("/v1/me/").status_code == 200


def test_a_request_without_options_makes_one_call_to_redis(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def count(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return spend_from(*arguments, **options)

    monkeypatch.setattr("accounts.limits.budgets.spend_from", count)
    assert call(alice).status_code == call(alice, "POST", "?charge=0&owe=0").status_code == 200
    assert len(calls) == 2


def test_either_every_bucket_pays_or_none() -> None:
    name = uuid4().hex
    large = Bucket(name=f"test:{name}:large", per_minute=1, burst=10)
    small = Bucket(name=f"test:{name}:small", per_minute=1, burst=2)
    first = spend_from([large, small], cost=2)
    assert first is not None
    assert [balance.left for balance in first.balances] == [8, 0]
    refused = spend_from([large, small], cost=1)
    assert refused is not None
    assert not refused.allowed
    assert [balance.left for balance in refused.balances] == [8, 0]
    assert 59 < refused.wait_s <= 60


def test_slot_is_taken_with_the_payment_or_not_at_all() -> None:
    owner_id, bucket = uuid4().int % 10**12, Bucket(name=f"test:{uuid4()}", per_minute=1, burst=2)
    slots = [Slot("search", owner_id=owner_id, limit=1) for _ in range(3)]
    payments = [spend_from([bucket], cost=1, slot=slot) for slot in slots]
    assert [payment and payment.allowed for payment in payments] == [True, True, False]
    assert [slot.is_taken for slot in slots] == [True, False, False]
    slots[0].require()
    with pytest.raises(TooManyAtOnce):
        slots[1].require()
    slots[2].require()  # its payment was refused, which is reported instead
    slots[0].release()
    assert slots[2].take()


def test_refused_requests_occupy_no_slot(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_concurrent_searches=1)
    reader = with_key(alice.user, scopes=frozenset({"read"}))
    for _ in range(2):
        assert reader.post("/v1/search/", {"query": "x"}).json()["code"] == "scope_missing"
        assert alice.post("/v1/search/", {"query": 7}).status_code == 422
        assert alice.post("/v1/search/", {"query": "x"}).status_code == 200
