"""How much an owner may keep."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Usage
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import QuotaReached, charge, usage
from tests.cast import Someone


@contextmanager
def charged(owner_id: int) -> Iterator[OwnerTransaction]:
    with acting_for(owner_id) as tx:
        charge(tx, documents=1)
        yield tx


@pytest.fixture(autouse=True)
def small_quotas(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, quota_documents=7, quota_pages=100, quota_mb=1)


def test_who_keeps_nothing_has_all_of_it_left(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        kept = usage(tx)
    assert (kept.documents, kept.pages, kept.bytes) == (0, 0, 0)
    assert (kept.max_documents, kept.max_pages, kept.max_bytes) == (7, 100, 1024 * 1024)


def test_what_is_charged_is_counted_and_what_is_released_is_not(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=2, pages=30, bytes=1000)
        charge(tx, documents=-1, pages=-10, bytes=-1)
        kept = usage(tx)
    assert (kept.documents, kept.pages, kept.bytes) == (1, 20, 999)


def test_after_the_first_time_a_charge_is_one_statement(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=1)
        with CaptureQueriesContext(connection) as asked:
            charge(tx, documents=1, pages=2, bytes=3)
    assert len(asked) == 1


def test_what_fits_exactly_fits(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=7, pages=100, bytes=1024 * 1024)
        assert usage(tx).documents == 7


@pytest.mark.parametrize("too_much", [{"documents": 8}, {"pages": 101}, {"bytes": 1024 * 1024 + 1}])
def test_what_does_not_fit_is_refused_whole(alice: Someone, too_much: dict[str, int]) -> None:
    with acting_for(alice.id) as tx:
        with pytest.raises(QuotaReached) as refused:
            charge(tx, **{"documents": 1, "pages": 1, "bytes": 1, **too_much})
        kept = usage(tx)
    assert (kept.documents, kept.pages, kept.bytes) == (0, 0, 0)
    assert next(iter(too_much)) in refused.value.detail
    assert refused.value.code == "quota_exceeded"


def test_the_refusal_says_what_is_left(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, pages=90)
        with pytest.raises(QuotaReached, match="20 more pages exceed the quota: 10 of 100 are left"):
            charge(tx, pages=20)


def test_an_owner_may_have_limits_of_their_own(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        Usage.objects.create(owner_id=alice.id, max_documents=0, max_pages=1000)
        charge(tx, pages=1000)
        with pytest.raises(QuotaReached, match="documents"):
            charge(tx, documents=1)
        assert usage(tx).max_documents == 0


def test_who_is_over_a_lowered_limit_may_still_delete(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=5)
        Usage.objects.filter(owner_id=alice.id).update(max_documents=2)
        charge(tx, documents=-1)
        charge(tx, pages=1)
        assert usage(tx).documents == 4


def test_releasing_more_than_is_there_leaves_nothing(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=1)
        charge(tx, documents=-5)
        assert usage(tx).documents == 0


def test_nothing_is_counted_of_a_transaction_that_fails(alice: Someone) -> None:
    with pytest.raises(QuotaReached), charged(alice.id) as tx:
        charge(tx, documents=7)
    with acting_for(alice.id) as tx:
        assert usage(tx).documents == 0


def test_one_owner_does_not_use_up_what_is_anothers(alice: Someone, charlie: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=7)
    with acting_for(charlie.id) as tx:
        charge(tx, documents=7)


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_exactly_as_many_win_as_fit(alice: Someone) -> None:
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


def test_usage_is_told(alice: Someone) -> None:
    with acting_for(alice.id) as tx:
        charge(tx, documents=1, pages=2, bytes=3)
    assert alice.get("/v1/usage/").json() == {
        "documents": 1,
        "pages": 2,
        "bytes": 3,
        "max_documents": 7,
        "max_pages": 100,
        "max_bytes": 1024 * 1024,
        "requests_per_minute": 600,
        "requests_at_once": 120,
        "searches_at_once": 8,
        "uploads_at_once": 4,
    }
