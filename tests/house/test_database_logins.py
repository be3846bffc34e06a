"""What someone gets who can run SQL as one of the database logins, as an injection could."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from paliapi.roles import APP, HOUSEKEEPING, METRICS, STAFF, STAFF_LOGIN
from tests.environment import Services

pytestmark = pytest.mark.usefixtures("django_db_setup")


BEYOND_EVERY_LOGIN = [
    "SET ROLE paliapi",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION paliapi",
    "SELECT set_config('role', 'paliapi', false)",
    "ALTER TABLE collections_app_document DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE collections_app_document NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY owner_only ON collections_app_document",
    "ALTER POLICY owner_only ON collections_app_document USING (true)",
    "CREATE POLICY mine ON collections_app_document USING (true)",
    "TRUNCATE collections_app_document",
    "DROP TABLE collections_app_document",
    "CREATE TABLE public.mine (id int)",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT setval('collections_app_document_id_seq', 1)",
    "UPDATE django_migrations SET name = 'x'",
    "DELETE FROM django_admin_log",
    "UPDATE django_admin_log SET change_message = ''",
    "DELETE FROM accounts_customuser",
    "CREATE ROLE mine",
    f"GRANT paliapi_staff TO {APP}",
    f"ALTER ROLE {APP} SUPERUSER",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/mine'",
    "SELECT rolpassword FROM pg_authid",
]

BEYOND_SIGN_IN = [
    "SET ROLE paliapi_app",
    "SET ROLE paliapi_staff",
    "SELECT * FROM accounts_apikey",
    "SELECT * FROM accounts_usage",
    "SELECT * FROM accounts_signinlink",
    "SELECT * FROM collections_app_document",
    "INSERT INTO accounts_customuser (email) VALUES ('mine@example.com')",
    "UPDATE accounts_customuser SET is_superuser = true",
    "UPDATE accounts_customuser SET is_staff = true",
    "UPDATE accounts_customuser SET is_active = true",
    "UPDATE accounts_customuser SET email = 'mine@example.com'",
    "INSERT INTO account_emailaddress (email) VALUES ('mine@example.com')",
    "SELECT * FROM account_emailconfirmation",
    "DELETE FROM socialaccount_socialaccount",
    "SELECT * FROM socialaccount_socialtoken",
    "SELECT * FROM accounts_customuser_groups",
    "SELECT * FROM auth_permission",
    "SELECT * FROM django_session",
    "SELECT * FROM django_admin_log",
]

# About users, and what they may do in the admin.
BEYOND_WEB_AND_WORKERS = [
    "SET ROLE paliapi_staff",
    "SET ROLE paliapi_staff_login",
    "SELECT set_config('role', 'paliapi_staff', false)",
    "SELECT password FROM accounts_customuser",
    "SELECT * FROM accounts_customuser",
    "SELECT count(*) FROM accounts_customuser WHERE password LIKE 'a%'",
    "SELECT id FROM accounts_customuser ORDER BY password",
    "SELECT id FROM accounts_customuser FOR UPDATE",
    "UPDATE accounts_customuser SET is_superuser = true",
    "UPDATE accounts_customuser SET password = 'x'",
    "UPDATE accounts_customuser SET is_active = true",
    "INSERT INTO accounts_customuser (email) VALUES ('mine@example.com')",
    "SELECT * FROM accounts_customuser_groups",
    "INSERT INTO accounts_customuser_groups (customuser_id, group_id) VALUES (1, 1)",
    "SELECT * FROM accounts_customuser_user_permissions",
    "INSERT INTO accounts_customuser_user_permissions (customuser_id, permission_id) VALUES (1, 1)",
    "SELECT * FROM auth_group",
    "INSERT INTO auth_group (name) VALUES ('mine')",
    "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, 1)",
    "SELECT * FROM auth_permission",
    "UPDATE auth_permission SET codename = 'x'",
    "SELECT * FROM django_content_type",
    "SELECT * FROM django_session",
    "INSERT INTO django_session VALUES ('mine', '', now())",
    "UPDATE django_session SET session_data = ''",
    "DELETE FROM django_session",
    "SELECT * FROM django_admin_log",
    "INSERT INTO django_admin_log (user_id) VALUES (1)",
    "SET ROLE paliapi_sign_in",
    "SELECT set_config('role', 'paliapi_sign_in', false)",
    "SELECT * FROM accounts_browsersession",
    "DELETE FROM accounts_browsersession",
    "SELECT * FROM mfa_authenticator",
    "DELETE FROM mfa_authenticator",
    "SELECT * FROM account_emailaddress",
    "SELECT * FROM socialaccount_socialaccount",
    "SELECT * FROM socialaccount_socialapp",
]

BEYOND_THE_WEB = [
    "SET ROLE paliapi_worker",
    "SET ROLE paliapi_housekeeping",
    "INSERT INTO collections_app_outage (part, code) VALUES ('embeddings', 'mine')",
    "DELETE FROM collections_app_outage",
    "UPDATE collections_app_outage SET code = 'mine'",
    "UPDATE collections_app_space SET dim = 1",
    "DELETE FROM collections_app_space",
]

BEYOND_HOUSEKEEPING = [
    "SELECT * FROM accounts_apikey",
    "SELECT * FROM accounts_usage",
    "SELECT * FROM collections_app_collection",
    "SELECT * FROM collections_app_document",
    "SELECT text FROM collections_app_page",
    "DELETE FROM collections_app_page",
    "SELECT * FROM collections_app_pageembedding",
    "SELECT url FROM collections_app_revision",
    "SELECT metadata FROM collections_app_revision",
    "UPDATE collections_app_revision SET owner_id = 1",
    "UPDATE collections_app_revision SET file_id = 1",
    "INSERT INTO collections_app_revision (owner_id) VALUES (1)",
    "DELETE FROM collections_app_revision",
    "SELECT url FROM collections_app_webhookendpoint",
    "SELECT salt FROM collections_app_webhookendpoint",
    "UPDATE collections_app_webhookendpoint SET url = 'https://mine.example'",
    "SELECT payload FROM collections_app_webhookdelivery",
    "UPDATE collections_app_webhookdelivery SET endpoint_id = 1",
    "SELECT body FROM collections_app_idempotentanswer",
    "DELETE FROM collections_app_idempotentanswer",
    "SELECT email FROM accounts_customuser",
]

BEYOND_METRICS = [
    *BEYOND_HOUSEKEEPING,
    "UPDATE collections_app_revision SET attempts = 0",
    "SELECT owner_id FROM accounts_apikey",
    "DELETE FROM collections_app_webhookdelivery",
    "DELETE FROM collections_app_searchquality",
    "SELECT key FROM collections_app_storedfile",
    "DELETE FROM collections_app_outage",
]


@contextmanager
def connected(url: str, role: str) -> Iterator[psycopg.Connection]:
    """Connect as a process does, and then assume a role."""
    with psycopg.connect(url, options=f"-c role={APP}", autocommit=True) as connection:
        connection.execute(f"SET ROLE {role}".encode())
        yield connection


def permitted(url: str, role: str, statements: list[str]) -> list[str]:
    """Return the statements that are not refused for lack of a right."""
    with connected(url, role) as connection:
        return permitted_on(connection, statements)


def permitted_on(connection: psycopg.Connection, statements: list[str]) -> list[str]:
    executed = []
    for statement in statements:
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(statement.encode())
            executed.append(statement)
        except InsufficientPrivilege:
            pass
    return executed


def test_web_server_may_do_nothing_beyond_rows_of_owners(services: Services) -> None:
    beyond = BEYOND_EVERY_LOGIN + BEYOND_WEB_AND_WORKERS + BEYOND_THE_WEB
    assert permitted(services.app_url, APP, beyond) == []


def test_workers_have_no_rights_on_users_sessions_and_the_admin(services: Services) -> None:
    beyond = BEYOND_EVERY_LOGIN + BEYOND_WEB_AND_WORKERS
    assert permitted(services.worker_url, APP, beyond) == []
    assert permitted(services.worker_url, HOUSEKEEPING, beyond) == []


def test_login_for_signing_in_sees_no_rows_of_owners_and_gives_no_rights(services: Services) -> None:
    beyond = BEYOND_EVERY_LOGIN + BEYOND_SIGN_IN
    with psycopg.connect(services.sign_in_url, autocommit=True) as connection:
        assert permitted_on(connection, beyond) == []
        needed = ["SELECT password FROM accounts_customuser", "DELETE FROM accounts_browsersession"]
        assert permitted_on(connection, needed) == needed


def test_housekeeping_sees_no_content(services: Services) -> None:
    assert permitted(services.worker_url, HOUSEKEEPING, BEYOND_HOUSEKEEPING) == []


def test_metrics_sees_no_content_and_changes_nothing(services: Services) -> None:
    beyond = BEYOND_EVERY_LOGIN + BEYOND_WEB_AND_WORKERS + BEYOND_THE_WEB + BEYOND_METRICS
    assert permitted(services.app_url, METRICS, beyond) == []


@pytest.mark.parametrize("role", [APP, STAFF_LOGIN, STAFF])
def test_staff_cannot_change_the_structure_or_the_log_of_the_admin(services: Services, role: str) -> None:
    assert permitted(services.staff_url, role, BEYOND_EVERY_LOGIN) == []


def test_login_of_staff_sees_no_rows_of_owners_until_it_becomes_staff(services: Services) -> None:
    owned = ["SELECT * FROM collections_app_document", "SELECT * FROM accounts_apikey"]
    assert permitted(services.staff_url, STAFF_LOGIN, owned) == []
    assert permitted(services.staff_url, STAFF, owned) == owned
