"""Storage quotas."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Usage
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import QuotaReached, charge, charging, require_charged, usage
from paliapi.database import execute_together
from tests.cast import Someone, with_key


@contextmanager
def charged(owner_id: int) -> Iterator[OwnerTransaction]:
    with acting_for(owner_id) as tx:
        charge(tx, documents=1)
        yield tx


@pytest.fixture(autouse=True)
def small_quotas(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, quota_collections=3, quota_documents=7, quota_pages=100, quota_mb=1)


def test_new_owner_has_the_default_quota(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        quota = usage(tx)
    assert (quota.collections, quota.documents, quota.pages, quota.bytes) == (0, 0, 0, 0)
    assert (quota.max_collections, quota.max_documents, quota.max_pages, quota.max_bytes) == (3, 7, 100, 1024 * 1024)


def test_charges_and_releases_are_counted(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, collections=3, documents=2, pages=30, bytes=1000)
        charge(tx, collections=-1, documents=-1, pages=-10, bytes=-1)
        quota = usage(tx)
    assert (quota.collections, quota.documents, quota.pages, quota.bytes) == (2, 1, 20, 999)


def test_charge_may_be_a_statement_among_others(alice: Someone) -> None:
    amounts = {"documents": 1, "pages": 2, "bytes": 3}
    with acting_for(alice.id) as tx:
        require_charged(tx, execute_together(charging(tx, **amounts))[0], **amounts)
        assert execute_together(charging(tx, **amounts)) == [[(alice.id,)]]
        quota = usage(tx)
        assert execute_together(charging(tx, pages=97)) == [[]], "more than the quota"
        with pytest.raises(QuotaReached):
            require_charged(tx, [], pages=97)
    assert (quota.documents, quota.pages, quota.bytes) == (2, 4, 6)


def test_quota_can_be_used_up_exactly(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=7, pages=100, bytes=1024 * 1024)
        assert usage(tx).documents == 7


@pytest.mark.parametrize("too_much", [{"collections": 4}, {"documents": 8}, {"pages": 101}, {"bytes": 1024 * 1024 + 1}])
def test_charge_that_exceeds_one_limit_counts_nothing(alice: Someone, too_much: dict[str, int]) -> None:
    with acting_for(alice.id) as tx:
        with pytest.raises(QuotaReached) as refused:
            charge(tx, **{"documents": 1, "pages": 1, "bytes": 1, **too_much})
        quota = usage(tx)
    assert (quota.documents, quota.pages, quota.bytes) == (0, 0, 0)
    assert next(iter(too_much)) in refused.value.detail
    assert refused.value.code == "quota_exceeded"


def test_refusal_states_what_is_left(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, pages=90)
        with pytest.raises(QuotaReached, match="20 more pages exceed the quota: 10 of 100 are left"):
            charge(tx, pages=20)


def test_owner_can_have_individual_limits(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        Usage.objects.create(owner_id=alice.id, max_documents=0, max_pages=1000)
        charge(tx, pages=1000)
        with pytest.raises(QuotaReached, match="documents"):
            charge(tx, documents=1)
        assert usage(tx).max_documents == 0


def test_owner_above_a_lowered_limit_can_still_delete(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=5)
        Usage.objects.filter(owner_id=alice.id).update(max_documents=2)
        charge(tx, documents=-1)
        charge(tx, pages=1)
        assert usage(tx).documents == 4


def test_releasing_too_much_stops_at_zero(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=1)
        charge(tx, documents=-5)
        assert usage(tx).documents == 0


def test_failed_transaction_counts_nothing(alice: Someone) -> None:
    with pytest.raises(QuotaReached), charged(alice.id) as tx:
        charge(tx, documents=7)
    with acting_for(alice.id) as tx:
        assert usage(tx).documents == 0


def test_quotas_of_owners_are_independent(alice: Someone, charlie: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=7)
    with acting_for(charlie.id) as tx:
        charge(tx, documents=7)


@pytest.mark.django_db(transaction=True)
def test_concurrent_charges_do_not_exceed_the_quota(alice: Someone) -> None:
    def upload(_: int) -> bool:
        try:
            with acting_for(alice.id) as tx:
                charge(tx, documents=1)
        except QuotaReached:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(upload, range(20))) == 7
    with acting_for(alice.id) as tx:
        assert usage(tx).documents == 7


def test_usage_endpoint_returns_usage_and_limits(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        Usage.objects.create(owner_id=alice.id, max_collections=5)
        charge(tx, collections=4, documents=1, pages=2, bytes=3)
    assert alice.get("/v1/usage/").json() == {
        "collections": 4,
        "documents": 1,
        "pages": 2,
        "bytes": 3,
        "max_collections": 5,
        "max_documents": 7,
        "max_pages": 100,
        "max_bytes": 1024 * 1024,
        "requests_per_minute": 600,
        "requests_at_once": 120,
        "searches_at_once": 8,
        "uploads_at_once": 4,
    }


def test_usage_of_the_account_is_hidden_from_a_restricted_key(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=1, pages=2, bytes=3)
    whole = alice.get("/v1/usage/").json()
    for names in ({"public"}, set[str]()):
        restricted = with_key(alice.user, collections=frozenset(names)).get("/v1/usage/").json()
        assert restricted == {**whole, "collections": None, "documents": None, "pages": None, "bytes": None}
