"""The database roles, and the SQL that creates them.

Five of them log in. `OWNER` owns the tables and runs the migrations. `APP` is the login of the web server, and the role
that row-level security applies to. `WORKER` is the login of the workers, and `STAFF_LOGIN` that of the admin and of
commands. `SIGN_IN` is a second login of the web server, for the pages where people sign in: only these see passwords
and second factors. A login inherits nothing; it assumes another role for a transaction, if `MAY_ASSUME` permits it.

- `STAFF` sees and writes the rows of every owner.
- `HOUSEKEEPING` claims work and deletes what has expired, for every owner, and sees only the columns that this takes.
- `METRICS` counts rows.
"""

OWNER = "paliapi"
APP = "paliapi_app"
WORKER = "paliapi_worker"
STAFF_LOGIN = "paliapi_staff_login"
SIGN_IN = "paliapi_sign_in"
STAFF = "paliapi_staff"
HOUSEKEEPING = "paliapi_housekeeping"
METRICS = "paliapi_metrics"

# The logins, by the variable with the URL of each.
DATABASE_LOGINS = {
    "DATABASE_ADMIN_URL": OWNER,
    "DATABASE_URL": APP,
    "DATABASE_WORKER_URL": WORKER,
    "DATABASE_STAFF_URL": STAFF_LOGIN,
    "DATABASE_SIGN_IN_URL": SIGN_IN,
}
LOGINS = tuple(DATABASE_LOGINS.values())
# All roles but the owner of the tables: they have the rights that `migrate` grants, and no others.
GRANTEES = (APP, WORKER, STAFF_LOGIN, SIGN_IN, STAFF, HOUSEKEEPING, METRICS)

MAY_ASSUME = {
    APP: (METRICS,),
    WORKER: (APP, HOUSEKEEPING),
    STAFF_LOGIN: (APP, STAFF, HOUSEKEEPING, METRICS, SIGN_IN),
}


def create_roles_sql() -> str:
    """Return SQL that creates missing roles and corrects who may assume which, for a superuser or with CREATEROLE.

    It does not mention SUPERUSER and BYPASSRLS: no role has them by default, and the administrator of a managed
    Postgres may not mention them at all. Passwords are set separately.
    """
    return "\n".join(
        [
            *(_create_role_sql(role) for role in (OWNER, *GRANTEES)),
            *(
                f"GRANT {role} TO {login} WITH INHERIT FALSE, SET TRUE;"
                for login, roles in MAY_ASSUME.items()
                for role in roles
            ),
            _revoke_others_sql(),
        ]
    )


def open_indexes_sql() -> str:
    """Return SQL, for a superuser, that lets Postgres use indexes on metadata and text under row-level security.

    Postgres evaluates a condition before the policy's only if its function is marked as leaking nothing about rows that
    it does not return. These functions raise no errors that depend on a row, but are not marked by default.
    """
    functions = (
        "jsonb_contains(jsonb, jsonb)",
        "jsonb_exists(jsonb, text)",
        "jsonb_exists_any(jsonb, text[])",
        "jsonb_exists_all(jsonb, text[])",
        "ts_match_vq(tsvector, tsquery)",
    )
    return "\n".join(f"ALTER FUNCTION {function} LEAKPROOF;" for function in functions)


def memberships_sql() -> str:
    """Return a query for the memberships between these roles, as (login, assumed role)."""
    names = ", ".join(f"'{role}'" for role in GRANTEES)
    return (
        "SELECT DISTINCT l.rolname::text, r.rolname::text FROM pg_auth_members AS m "  # noqa: S608
        "JOIN pg_roles AS r ON r.oid = m.roleid JOIN pg_roles AS l ON l.oid = m.member "
        f"WHERE r.rolname IN ({names}) AND l.rolname IN ({names})"
    )


def _create_role_sql(role: str) -> str:
    attributes = "LOGIN" if role == OWNER else "LOGIN NOINHERIT" if role in LOGINS else "NOLOGIN NOINHERIT"
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
        f"THEN CREATE ROLE {role} {attributes}; END IF; END $$;"
    )


def _revoke_others_sql() -> str:
    """Return SQL that ends every other membership, such as those of earlier releases."""
    permitted = ", ".join(f"('{login}', '{role}')" for login, roles in MAY_ASSUME.items() for role in roles)
    names = ", ".join(f"'{role}'" for role in GRANTEES)
    return (
        "DO $$ DECLARE m record; BEGIN FOR m IN "  # noqa: S608
        "SELECT roleid::regrole AS role, member::regrole AS login, grantor::regrole AS grantor FROM pg_auth_members "
        f"WHERE roleid::regrole::text IN ({names}) AND member::regrole::text IN ({names}) "
        f"AND (member::regrole::text, roleid::regrole::text) NOT IN ({permitted}) "
        "LOOP EXECUTE format('REVOKE %s FROM %s GRANTED BY %s', m.role, m.login, m.grantor); END LOOP; END $$;"
    )
