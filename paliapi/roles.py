"""The database roles, and the SQL that creates them.

`OWNER` owns the tables and runs the migrations. `APP` is the role of the web server and the workers, which row-level
security applies to. `STAFF` is the role that the admin site assumes during a request.
"""

OWNER = "paliapi"
APP = "paliapi_app"
STAFF = "paliapi_staff"

_ATTRIBUTES = {
    OWNER: "LOGIN",
    APP: "LOGIN NOINHERIT",
    STAFF: "NOLOGIN NOINHERIT",
}


def create_roles_sql() -> str:
    """Return SQL that creates missing roles, to be run by a superuser or a role with CREATEROLE.

    It does not mention SUPERUSER and BYPASSRLS: no role has them by default, and the administrator of a managed
    Postgres may not mention them at all. Passwords are set separately.
    """
    return "\n".join(
        [
            *(_create_role_sql(role, attributes) for role, attributes in _ATTRIBUTES.items()),
            f"GRANT {STAFF} TO {APP} WITH INHERIT FALSE, SET TRUE;",
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


def _create_role_sql(role: str, attributes: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
        f"THEN CREATE ROLE {role} {attributes}; END IF; END $$;"
    )
