"""The SQL of the database roles."""

from django.db import connection

from accounts.ownership import acting_as_staff
from paliapi.roles import GRANTEES, OWNER, STAFF, STAFF_LOGIN, create_roles_sql, open_indexes_sql


def test_roles_cannot_bypass_row_level_security(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname",
            [[OWNER, *GRANTEES]],
        )
        assert cursor.fetchall() == [(name, False, False) for name in sorted((OWNER, *GRANTEES))]


def test_staff_is_a_role_that_the_login_of_staff_assumes(db: None) -> None:
    with acting_as_staff(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user")
        assert cursor.fetchone() == (STAFF, STAFF_LOGIN)


def test_sql_grants_no_privileged_attributes() -> None:
    assert "SUPERUSER" not in create_roles_sql()
    assert "BYPASSRLS" not in create_roles_sql()
    assert all(line.startswith("ALTER FUNCTION ") for line in open_indexes_sql().splitlines())
