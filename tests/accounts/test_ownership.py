"""Row-level security, as the role that the web has."""

from unittest.mock import patch

import pytest
from django.db import ProgrammingError, connection, transaction

from accounts.keys import mint, parse
from accounts.models import ApiKey, Usage
from accounts.ownership import acting_as_staff, acting_for, fetch_with_key
from paliapi import database
from paliapi.database import Command
from tests.cast import Someone

TABLES = ["accounts_apikey", "accounts_usage"]


def rows_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        row = cursor.fetchone()
    return int(row[0]) if row else -1


@pytest.fixture
def both_have_rows(alice: Someone, charlie: Someone) -> None:
    for someone in (alice, charlie):
        with acting_for(someone.id):
            Usage.objects.create(owner_id=someone.id)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("both_have_rows")
def test_without_an_owner_nothing_is_there(table: str) -> None:
    assert rows_of(table) == 0


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("both_have_rows")
def test_an_owner_sees_what_is_theirs(table: str, alice: Someone) -> None:
    with acting_for(alice.id):
        assert rows_of(table) == 1


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("both_have_rows")
def test_staff_transaction_sees_every_owner_and_ends(table: str) -> None:
    with acting_as_staff():
        assert rows_of(table) == 2
    assert rows_of(table) == 0


def test_rows_of_another_owner_cannot_be_written(alice: Someone, charlie: Someone) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), acting_for(alice.id):
        Usage.objects.create(owner_id=charlie.id)
    with acting_for(alice.id):
        assert ApiKey.objects.filter(owner_id=charlie.id).update(name="mine") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            ApiKey.objects.filter(owner_id=alice.id).update(owner_id=charlie.id)


OWNERS_SEEN = b"SELECT array_agg(owner_id) FROM accounts_apikey"
RENAMED = b"WITH renamed AS (UPDATE accounts_apikey SET name = 'mine' RETURNING 1) SELECT count(*) FROM renamed"


def test_fetch_with_key_reads_only_that_key_and_changes_nothing(alice: Someone, charlie: Someone) -> None:
    parts = parse(alice.key)
    assert parts is not None
    assert fetch_with_key(parts.public_id, OWNERS_SEEN) == ([alice.id],)
    assert fetch_with_key(parts.public_id, RENAMED) == (0,)
    assert fetch_with_key(mint().public_id, OWNERS_SEEN) == (None,)
    assert ApiKey.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_fetch_with_key_leaves_no_access_behind(alice: Someone) -> None:
    parts = parse(alice.key)
    assert parts is not None
    assert not connection.in_atomic_block
    assert fetch_with_key(parts.public_id, OWNERS_SEEN) == ([alice.id],)
    assert ApiKey.objects.count() == 0
    with transaction.atomic():
        assert fetch_with_key(parts.public_id, OWNERS_SEEN) == ([alice.id],)
        assert ApiKey.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_transaction_can_begin_and_end_with_a_statement(alice: Someone, charlie: Someone) -> None:
    keys = Command(b"SELECT owner_id FROM accounts_apikey")
    with patch.object(database, "_send", wraps=database._send) as send, acting_for(alice.id, first=keys) as tx:
        assert tx.read(keys) == [(alice.id,)]
        assert tx.read_last(Command(b"SELECT count(*) FROM accounts_apikey")) == [(1,)]
        assert send.call_count == 2, "round trips"
        assert ApiKey.objects.count() == 0, "the transaction has ended, and its owner with it"
    with acting_for(charlie.id) as outer, acting_for(alice.id) as tx:
        assert tx.read_last(keys) == [(alice.id,)]
        assert tx.read(keys) == [(alice.id,)], "a nested transaction ends with its block"
    assert outer.owner_id == charlie.id


def test_empty_key_reads_nothing(alice: Someone) -> None:
    assert fetch_with_key("", OWNERS_SEEN) == (None,)


def test_nested_transaction_restores_the_outer_owner(alice: Someone, charlie: Someone) -> None:
    with acting_for(alice.id):
        with acting_for(charlie.id):
            assert {key.owner_id for key in ApiKey.objects.all()} == {charlie.id}
        assert {key.owner_id for key in ApiKey.objects.all()} == {alice.id}


def test_error_leaves_no_owner_or_role_behind(alice: Someone) -> None:
    with pytest.raises(ZeroDivisionError), acting_as_staff():
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), acting_for(alice.id):
        _ = 1 / 0
    assert ApiKey.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("paliapi_app",)


def test_key_cannot_be_rotated_from_another_owners_key(alice: Someone, charlie: Someone) -> None:
    with acting_as_staff(), connection.cursor() as cursor:
        hers, his = (ApiKey.objects.get(owner_id=someone.id) for someone in (alice, charlie))
        with pytest.raises(Exception, match="same_owner"), transaction.atomic():
            cursor.execute("UPDATE accounts_apikey SET rotated_from_id = %s WHERE id = %s", [hers.pk, his.pk])
