"""The database isolates owners, even if the code above it forgets to."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import F

from accounts.key_lifecycle import Rights, mint_key
from accounts.models import ApiKey, CustomUser
from accounts.ownership import acting_as_staff, acting_for, managing_users
from accounts.sign_in_links import create_link
from collections_app.models import Collection, Document, Revision
from collections_app.search import recall
from paliapi.env import ROOT
from paliapi.roles import APP, GRANTEES, HOUSEKEEPING, METRICS, STAFF
from tests.cast import EVERYTHING, Someone, someone
from tests.collections_app.documents import shown_with_pages
from tests.collections_app.evaluations.running import create_run
from tests.collections_app.webhooks.receiving import create_delivery
from tests.house.tables import Link, count, links, owned_tables, pooled, rows, tables

# Tables whose rows have no owner; any other must be listed here, with its reason.
WITHOUT_OWNER = {
    "accounts_browsersession": "some have no user yet, and only the login for signing in sees them",
    "accounts_customuser": "the owners themselves",
    "accounts_customuser_groups": "rights in the admin",
    "accounts_customuser_user_permissions": "rights in the admin",
    "collections_app_outage": "what everybody waits for",
    "collections_app_space": "names of models",
}

# Policies besides the two that every table has, with their roles. What these roles may read and write of the rows is
# limited to columns without content (`tests/house/test_database_logins.py`).
_CLAIMED = (
    "revision",
    "webhookendpoint",
    "webhookdelivery",
    "storedfile",
    "page",
    "idempotentanswer",
    "searchquality",
    "evaluationrun",
)
MORE_POLICIES = {
    ("accounts_apikey", "presented_key", APP, "SELECT"),
    ("accounts_apikey", "housekeeping_all", HOUSEKEEPING, "SELECT"),
    *((f"collections_app_{name}", "housekeeping_all", HOUSEKEEPING, "ALL") for name in _CLAIMED),
    *(
        (f"collections_app_{name}", "metrics_all", METRICS, "ALL")
        for name in ("revision", "webhookdelivery", "searchquality")
    ),
}

# Constrained by (id, column) -> (document_id, id) instead: the same document, so the same owner.
BY_THE_DOCUMENT = {"collections_app_document.shown_id", "collections_app_document.latest_id"}

OWNED = owned_tables()
LINKS = list(links())


@pytest.fixture
def full(alice: Someone) -> Someone:
    """Alice, with at least one row in every table with an owner."""
    shown_with_pages(alice, "report.pdf", pages=2)
    alice.post("/v1/collections/", {"name": "reports"}, Idempotency_Key="once")
    create_delivery(alice)
    create_run(alice)
    with acting_for(alice.id) as tx:
        old = ApiKey.objects.get(owner_id=alice.id)
        mint_key(tx, rights=Rights(scopes=EVERYTHING), minted_by=old.pk, rotated_from=old)
        Revision.objects.filter(owner_id=alice.id).update(converted=F("file"))
        create_link(tx)
        recall.count_comparison(tx, {Collection.objects.filter(owner_id=alice.id)[0].pk: (10, 9)})
    return alice


@pytest.mark.django_db
def test_every_table_has_an_owner_or_is_listed_as_ownerless() -> None:
    stored = {name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    ours = {name for name in stored if name.startswith(("accounts_", "collections_app_"))}
    assert ours == set(tables())
    assert ours - set(OWNED) == set(WITHOUT_OWNER)


@pytest.mark.django_db
@pytest.mark.parametrize("table", OWNED)
def test_row_level_security_binds_the_table_owner_too(table: str) -> None:
    assert rows("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table) == [
        (True, True)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("table", OWNED)
def test_only_the_owner_and_staff_policies_exist(table: str) -> None:
    results = rows(
        "SELECT policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies WHERE tablename = %s",
        table,
    )
    policies = {name: rest for name, *rest in results}
    permissive, roles, command, seen, written = policies.pop("owner_only")
    assert (permissive, roles, command) == ("PERMISSIVE", [APP], "ALL")
    assert seen == written
    assert seen.startswith("(owner_id = ")
    assert "current_setting('app.owner'::text, true)" in seen
    assert policies.pop("staff_all") == ["PERMISSIVE", [STAFF], "ALL", "true", "true"]
    assert {(table, name, *rest[1], rest[2]) for name, rest in policies.items()} == {
        more for more in MORE_POLICIES if more[0] == table
    }


@pytest.mark.django_db
@pytest.mark.parametrize("link", LINKS, ids=str)
def test_foreign_keys_to_owned_tables_include_the_owner(link: Link) -> None:
    results = rows(
        """
        SELECT array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY k(no, place)
                     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.no ORDER BY place)::text[],
               array(SELECT attname FROM unnest(c.confkey) WITH ORDINALITY k(no, place)
                     JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.no ORDER BY place)::text[],
               c.convalidated
        FROM pg_constraint c
        WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND c.confrelid = %s::regclass
        """,
        link.child,
        link.parent,
    )
    expected = (["id", link.column], ["document_id", "id"], True)
    if str(link) not in BY_THE_DOCUMENT:
        expected = (["owner_id", link.column], ["owner_id", "id"], True)
    assert expected in results


@pytest.mark.django_db
def test_no_role_can_bypass_or_change_policies() -> None:
    powers = rows(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles "
        "WHERE rolname = ANY(%s)",
        list(GRANTEES),
    )
    assert sorted(powers) == [(role, *[False] * 5) for role in sorted(GRANTEES)]
    assert rows("SELECT tablename FROM pg_tables WHERE tableowner = ANY(%s)", list(GRANTEES)) == []
    may = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') "
        "AND has_table_privilege(%s, oid, %s)"
    )
    for role in GRANTEES:
        for power in ("TRUNCATE", "REFERENCES", "TRIGGER"):
            assert rows(may, role, power) == []
        assert rows("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role) == [(False,)]


@pytest.mark.parametrize("table", OWNED)
def test_raw_sql_sees_no_rows_without_the_owner(table: str, full: Someone, charlie: Someone) -> None:
    with acting_for(full.id):
        assert count(table) > 0
    assert count(table) == 0
    with acting_for(charlie.id):
        assert rows(f"SELECT count(*) FROM {table} WHERE owner_id <> %s", charlie.id) == [(0,)]  # noqa: S608


@pytest.mark.parametrize("table", OWNED)
def test_row_cannot_be_moved_to_another_owner(table: str, full: Someone, charlie: Someone) -> None:
    refusal = pytest.raises(ProgrammingError, match="violates row-level security policy")
    with refusal, acting_for(full.id):
        rows(f"UPDATE {table} SET owner_id = %s", charlie.id)  # noqa: S608


@pytest.mark.parametrize("table", OWNED)
def test_no_row_can_be_changed_or_deleted_without_an_owner(table: str, full: Someone) -> None:
    with acting_for(full.id):
        before = count(table)
    for sql in (f"UPDATE {table} SET owner_id = owner_id", f"DELETE FROM {table}"):  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql)
            assert cursor.rowcount == 0
    with acting_for(full.id):
        assert count(table) == before


def test_rows_of_another_owner_cannot_be_inserted(full: Someone, charlie: Someone) -> None:
    insert = "INSERT INTO collections_app_collection (owner_id, name, metadata, vectors_seq) VALUES (%s, 'x', '{}', 0)"
    refusal = pytest.raises(ProgrammingError, match="violates row-level security policy")
    with refusal, acting_for(full.id):
        rows(insert, charlie.id)
    refusal = pytest.raises(ProgrammingError, match="violates row-level security policy")
    with refusal, transaction.atomic():
        rows(insert, full.id)


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_staff_cannot_give_a_child_row_another_owner_than_its_parent(
    link: Link, full: Someone, charlie: Someone
) -> None:
    linked = f"WHERE owner_id = %s AND {link.column} IS NOT NULL"
    rows("SET CONSTRAINTS ALL IMMEDIATE")
    with acting_for(full.id):
        assert rows(f"SELECT count(*) FROM {link.child} {linked}", full.id) != [(0,)]  # noqa: S608
    with pytest.raises(IntegrityError), acting_as_staff():
        rows(f"UPDATE {link.child} SET owner_id = %s {linked}", charlie.id, full.id)  # noqa: S608


def test_staff_cannot_show_a_revision_of_another_document(full: Someone, charlie: Someone) -> None:
    theirs = shown_with_pages(charlie, "theirs.pdf", pages=1)
    rows("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError), acting_as_staff():
        Document.objects.filter(owner_id=full.id).update(shown=theirs.latest_id)


@pytest.mark.django_db(transaction=True)
def test_pooled_connection_does_not_leak_the_owner() -> None:
    alice = someone("alice@example.com")
    with pooled(1):
        with acting_for(alice.id):
            alone = rows("SELECT pg_backend_pid(), count(*) FROM accounts_apikey")
        with pytest.raises(ZeroDivisionError), acting_for(alice.id):
            _ = 1 / 0
        with acting_as_staff():
            pass
        connection.close()
        assert rows("SELECT pg_backend_pid(), count(*) + 1 FROM accounts_apikey") == alone
        assert rows("SELECT current_setting('app.owner', true), current_user") in [[("", APP)], [(None, APP)]]


def test_production_settings_use_the_restricted_role() -> None:
    assert "-c role=paliapi_app" in settings.DATABASES["default"]["OPTIONS"]["options"]


def test_only_the_admin_and_commands_act_as_staff() -> None:
    """Workers may not, but the login of the tests may, so no other test would notice."""
    used_in = {
        str(path.relative_to(ROOT))
        for package in ("accounts", "collections_app")
        for path in (ROOT / package).rglob("*.py")
        if "acting_as_staff" in path.read_text(encoding="utf-8")
    }
    assert used_in == {
        "accounts/ownership.py",
        "accounts/staff_site.py",
        "collections_app/ingest/reembed.py",
        "collections_app/storage/rebuild.py",
        "collections_app/storage/recode.py",
    }


@pytest.mark.django_db
def test_every_role_has_rights_on_declared_tables_only() -> None:
    declared: dict[str, set[str]] = {role: set() for role in GRANTEES}
    for config in apps.get_app_configs():
        for table, rights in getattr(config, "grants", {}).items():
            for role in rights:
                declared[role].add(table)
    for role in (APP, STAFF):
        declared[role] |= set(owned_tables())
    for role in GRANTEES:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') "
                "AND (relkind = 'S' AND has_sequence_privilege(%s, oid, 'USAGE, SELECT, UPDATE') "
                "OR relkind = 'r' AND (has_table_privilege(%s, oid, 'INSERT, DELETE, TRUNCATE') "
                "OR has_any_column_privilege(%s, oid, 'SELECT, INSERT, UPDATE, REFERENCES')))",
                [role] * 3,
            )
            assert {name for (name,) in cursor.fetchall()} == declared[role], role


@pytest.mark.django_db(transaction=True)
def test_managing_users_leaves_no_role_in_the_pool() -> None:
    with pooled(1):
        with managing_users():
            assert not CustomUser.objects.exists()
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == ("paliapi_app",)
