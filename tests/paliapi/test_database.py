"""Database settings and connections."""

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import ApiKey
from accounts.ownership import acting_as_housekeeping
from collections_app.models import Outage
from paliapi.database import (
    ConstantQuery,
    as_table_owner,
    binary_cursor,
    database_settings,
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
