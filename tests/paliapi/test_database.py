"""Database settings and connections."""

import os
import socket

import pytest
from django.db import DataError, OperationalError, ProgrammingError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import ApiKey
from accounts.ownership import acting_as_housekeeping
from collections_app.models import Outage
from paliapi.database import (
    COMMIT,
    Command,
    ConstantQuery,
    as_table_owner,
    binary_cursor,
    database_settings,
    execute_together,
    release_connection,
    statement,
)
from paliapi.roles import APP, OWNER
from tests.environment import Services


def test_url_is_translated() -> None:
    settings = database_settings("postgresql://a%40b:p%2Fw@db.example:6543/docs?sslmode=require")
    assert (settings["USER"], settings["PASSWORD"]) == ("a@b", "p/w")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", "6543", "docs")
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert f"-c role={APP} " in settings["OPTIONS"]["options"]


def test_socket_folder_comes_from_the_query() -> None:
    assert database_settings("postgresql://app@/docs?host=/run/postgres")["HOST"] == "/run/postgres"


def test_pool_is_optional() -> None:
    assert "pool" not in database_settings("postgresql://app@db/docs")["OPTIONS"]
    pooled = database_settings("postgresql://app@db/docs", pool_size=7)
    assert pooled["OPTIONS"]["pool"]["max_size"] == 7
    assert not pooled["CONN_HEALTH_CHECKS"]


@pytest.mark.django_db
def test_constant_query_is_generated_once_and_returns_current_rows() -> None:
    times_made = 0

    def outages_that_are_due() -> QuerySet[Outage, str]:
        nonlocal times_made
        times_made += 1
        return Outage.objects.filter(next_try_at__lte=Now()).order_by("part").values_list("part", flat=True)[:2]

    query = ConstantQuery(outages_that_are_due)
    assert query.rows() == []
    with acting_as_housekeeping():
        Outage.objects.bulk_create(Outage(part=part, code="x", next_try_at=Now()) for part in ("b", "a", "c"))
    assert query.rows() == [("a",), ("b",)]
    assert execute_together(query.command()) == [[("a",), ("b",)]]
    assert query.command().values == (), "partial indexes need literals"
    assert times_made == 1


def test_table_names_are_quoted_in_statements() -> None:
    assert statement("SELECT 1 FROM {keys}", keys=ApiKey) == b'SELECT 1 FROM "accounts_apikey"'


def test_idle_transactions_are_ended(db: None) -> None:
    with binary_cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("45s",)


@pytest.mark.django_db(transaction=True)
def test_connection_is_released_outside_a_transaction_only() -> None:
    with transaction.atomic():
        connection.ensure_connection()
        release_connection()
        assert connection.connection is not None
    release_connection()
    assert connection.connection is None


@pytest.mark.django_db(transaction=True)
def test_table_owner_is_used_for_the_block_only(services: Services) -> None:
    def current_user() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            return str(cursor.fetchone()[0])

    with as_table_owner(services.owner_url):
        assert current_user() == OWNER
    assert current_user() == APP


ONE_OVER = Command(b"SELECT 1 / %s::int", [0])


@pytest.mark.django_db(transaction=True)
def test_statements_return_their_rows_in_order() -> None:
    for _ in range(2):  # prepared, and then again
        first, second = execute_together(
            Command(b"SELECT %s::int, %s::text, %s::text[]", [7, "\u00e4'", '{"a","b"}']),
            Command(b"SELECT number, true FROM generate_series(1, %s::int) AS number", [2]),
        )
        assert first == [(7, "\u00e4'", ["a", "b"])]
        assert second == [(1, True), (2, True)]
    assert execute_together(Command(b"SELECT %s::text WHERE false", [None])) == [[]]
    assert execute_together(Command(b"SELECT %s::bytea, %s::text", [b"\0\xff", "text"])) == [[(b"\0\xff", "text")]]


@pytest.mark.django_db(transaction=True)
def test_statements_outside_a_transaction_are_one() -> None:
    setting = Command(b"SELECT set_config('app.owner', '7', true)")
    reading = Command(b"SELECT coalesce(current_setting('app.owner', true), '')")
    assert execute_together(setting, reading)[1] == [("7",)]
    assert execute_together(reading) == [[("",)]]


@pytest.mark.django_db(transaction=True)
def test_connection_is_usable_after_a_failed_statement() -> None:
    unprepared = Command(b"SELECT 'never reached'")
    for _ in range(2):
        with pytest.raises(DataError, match="division by zero"):
            execute_together(Command(b"SELECT 1"), ONE_OVER, unprepared)
    assert execute_together(unprepared, Command(b"SELECT 1")) == [[("never reached",)], [(1,)]]
    with pytest.raises(ProgrammingError, match="syntax"):
        execute_together(Command(b"SELECT SELECT"))
    with pytest.raises(DataError, match="NUL"):
        execute_together(Command(b"SELECT %s::text", ["a\0b"]))
    assert execute_together(Command(b"SELECT 1")) == [[(1,)]]


@pytest.mark.django_db(transaction=True)
def test_transaction_begins_and_ends_with_its_statements() -> None:
    count = Command(b"SELECT count(*) FROM collections_app_outage")
    add = Command(b"INSERT INTO collections_app_outage (part, code, next_try_at) VALUES ('a', 'x', now())")
    with pytest.raises(DataError), acting_as_housekeeping():
        execute_together(add, ONE_OVER)
    with acting_as_housekeeping():
        execute_together(add)
        assert execute_together(count, COMMIT)[0] == [(1,)]
        with transaction.atomic():
            pass  # Django has not noticed, and need not
    with acting_as_housekeeping():
        assert execute_together(count) == [[(1,)]]


@pytest.mark.django_db(transaction=True)
def test_results_larger_than_the_buffers_arrive() -> None:
    text = "x" * 3_000_000
    rows = execute_together(*[Command(b"SELECT %s::text", [text])] * 3)
    assert [len(row[0]) for (row,) in rows] == [len(text)] * 3


@pytest.mark.django_db(transaction=True)
def test_lost_connection_is_reported_and_replaced() -> None:
    connection.ensure_connection()
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
    with pytest.raises(OperationalError):
        execute_together(Command(b"SELECT 1"))
    close_old_connections()
    assert execute_together(Command(b"SELECT 1")) == [[(1,)]]
