"""The database roles, and the SQL that makes them.

`OWNER` owns the tables and runs the migrations. `APP` is what the web and the workers are: row-level
security binds it. `STAFF` is what the admin site becomes for the length of one request.
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
    """SQL that makes the roles where they are missing; for a superuser, or a role with CREATEROLE.

    Nothing but the defaults is said about SUPERUSER and BYPASSRLS: no role has them unless somebody
    gives them, and a managed Postgres does not let its administrator speak of them at all.
    Passwords are set apart from this.
    """
    return "\n".join(
        [
            *(_create_role_sql(role, attributes) for role, attributes in _ATTRIBUTES.items()),
            f"GRANT {STAFF} TO {APP} WITH INHERIT FALSE, SET TRUE;",
        ]
    )


def open_indexes_sql() -> str:
    """SQL that lets Postgres use indexes on metadata and words under row-level security; for a superuser.

    A condition runs before the policy's only if its function is known to tell nothing about rows that it does not
    return. These raise no error that depends on a row, but Postgres does not mark them so by itself.
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
