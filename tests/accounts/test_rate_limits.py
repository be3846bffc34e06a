"""Rate limits of keys, and concurrency limits of owners."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from accounts import rate_limits
from accounts.rate_limits import TooManyAtOnce, concurrent, spend
from tests.cast import Someone, with_key


@pytest.fixture
def few_requests(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, rate_per_minute=1, rate_burst=2)


@pytest.fixture
def no_redis(settings: Settings, tmp_path: Path) -> None:
    settings.ENV = replace(settings.ENV, redis_url=f"unix://{tmp_path}/nobody", rate_per_minute=1, rate_burst=1)


@pytest.fixture
def bucket(django_db_setup: None) -> str:
    return f"test:{uuid4()}"


@pytest.fixture
def owner_id(django_db_setup: None) -> int:
    return uuid4().int % 10**12


def test_every_response_has_rate_limit_headers(alice: Someone) -> None:
    first, second = alice.get("/v1/me/"), alice.get("/v1/me/")
    assert first["RateLimit-Policy"] == '"key";q=120;w=12, "owner";q=240;w=12'
    assert first["RateLimit"].startswith('"key";r=119;t=')
    assert second["RateLimit"].startswith('"key";r=11')


@pytest.mark.usefixtures("few_requests")
def test_too_many_requests_get_429_with_retry_after(alice: Someone) -> None:
    assert [alice.get("/v1/me/").status_code for _ in range(2)] == [200, 200]
    refused = alice.get("/v1/me/")
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert refused["RateLimit"].startswith('"key";r=0;t=')
    assert 0 < int(refused["Retry-After"]) <= 60


@pytest.mark.usefixtures("few_requests")
def test_each_key_has_its_own_allowance(alice: Someone, charlie: Someone) -> None:
    for _ in range(3):
        alice.get("/v1/me/")
    assert charlie.get("/v1/me/").status_code == 200
    assert with_key(alice.user).get("/v1/me/").status_code == 200


@pytest.mark.usefixtures("few_requests")
def test_unauthenticated_requests_do_not_spend_an_allowance(alice: Someone) -> None:
    for _ in range(5):
        alice.__class__(alice.user, "pali_nonsense").get("/v1/me/")
    assert alice.get("/v1/me/").status_code == 200


@pytest.mark.usefixtures("no_redis")
def test_without_redis_requests_pass(alice: Someone) -> None:
    answers = [alice.get("/v1/me/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "RateLimit" not in answers[0]


@pytest.mark.usefixtures("no_redis")
def test_without_redis_concurrency_is_not_limited() -> None:
    with ExitStack() as running:
        for _ in range(3):
            running.enter_context(concurrent("search", owner_id=1, limit=1))


def test_concurrent_threads_spend_exactly_the_bucket(bucket: str) -> None:
    with ThreadPoolExecutor(16) as threads:
        balances = list(threads.map(lambda _: spend(bucket, cost=1, per_minute=1, burst=10), range(40)))
    assert sum(balance.allowed for balance in balances if balance) == 10
    assert sorted(balance.left for balance in balances if balance and balance.allowed) == list(range(10))


def test_cost_is_taken_from_the_bucket(bucket: str) -> None:
    first = spend(bucket, cost=7, per_minute=1, burst=10)
    assert first is not None
    assert (first.allowed, first.left) == (True, 3)
    second = spend(bucket, cost=4, per_minute=1, burst=10)
    assert second is not None
    assert (second.allowed, second.left) == (False, 3)
    assert 0 < second.wait_s <= 60


def test_cost_above_a_full_bucket_takes_all_of_it(bucket: str) -> None:
    first = spend(bucket, cost=1000, per_minute=1, burst=10)
    assert first is not None
    assert (first.allowed, first.left) == (True, 0)
    second = spend(bucket, cost=1000, per_minute=1, burst=10)
    assert second is not None
    assert not second.allowed


def test_bucket_refills(bucket: str) -> None:
    # One unit every 6 microseconds, so that every request finds the bucket full.
    balances = [spend(bucket, cost=1, per_minute=10_000_000, burst=1) for _ in range(3)]
    assert all(balance and balance.allowed for balance in balances)


def test_bucket_that_became_smaller_refills_in_its_own_time(bucket: str) -> None:
    spend(bucket, cost=100, per_minute=1, burst=100)
    smaller = spend(bucket, cost=1, per_minute=1, burst=2)
    assert smaller is not None
    assert not smaller.allowed
    assert smaller.wait_s <= 60


def test_concurrency_of_an_owner_is_limited(owner_id: int) -> None:
    with concurrent("search", owner_id=owner_id, limit=2), concurrent("search", owner_id=owner_id, limit=2):
        with pytest.raises(TooManyAtOnce), concurrent("search", owner_id=owner_id, limit=2):
            pytest.fail("a third one ran")
        with concurrent("upload", owner_id=owner_id, limit=1), concurrent("search", owner_id=owner_id + 1, limit=1):
            pass
    with concurrent("search", owner_id=owner_id, limit=1):
        pass


def test_slot_can_be_waited_for(owner_id: int) -> None:
    with ThreadPoolExecutor(1) as threads, ExitStack() as running:
        running.enter_context(concurrent("upload", owner_id=owner_id, limit=1))

        def run() -> str:
            with concurrent("upload", owner_id=owner_id, limit=1, within_s=30):
                return "ran"

        waiting = threads.submit(run)
        assert not waiting.done()
        running.close()
        assert waiting.result(30) == "ran"


def test_failed_work_releases_its_slot(owner_id: int) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), concurrent("upload", owner_id=owner_id, limit=1):
            _ = 1 / 0


def test_concurrent_threads_get_no_more_than_the_slots(owner_id: int) -> None:
    with ExitStack() as running, ThreadPoolExecutor(16) as threads:

        def start(_: int) -> bool:
            try:
                running.enter_context(concurrent("search", owner_id=owner_id, limit=5))
            except TooManyAtOnce:
                return False
            return True

        assert sum(threads.map(start, range(30))) == 5


def test_slot_is_free_when_its_lease_ends(owner_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits._LEASE_S, "search", 0)
    with (
        concurrent("search", owner_id=owner_id, limit=1),
        concurrent("search", owner_id=owner_id, limit=1),
    ):
        pass
