"""`pali keys`: list, create, rotate and revoke API keys."""

from typing import Annotated, Any

import typer

from paliapi_client.cli.as_json import as_json
from paliapi_client.cli.options import Yes, chosen, confirm, parse_expiry
from paliapi_client.cli.output import Column
from paliapi_client.cli.session import Session, command
from paliapi_client.operations.accounts import Scope

_COLUMNS = (
    Column("Id", right=True),
    Column("Name", shortened=True),
    Column("Key", shortened=True),
    Column("Scopes"),
    Column("Collections", shortened=True),
    Column("State"),
    Column("Expires"),
    Column("Last used"),
)


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="List, create, rotate and revoke API keys.", no_args_is_help=True)
    command(group, "list")(list_keys)
    command(group, "create")(create)
    command(group, "rotate")(rotate)
    command(group, "revoke")(revoke)
    app.add_typer(group, name="keys")


def list_keys(session: Session) -> None:
    """List the keys of the account."""
    with session.client() as pali:
        keys = list(pali.keys.list())
    if session.output.json:
        session.output.document({"keys": as_json(keys)})
        return
    rows = [
        (
            key.id,
            key.name,
            key.key_hint,
            key.scopes,
            "all" if key.collections is None else key.collections,
            key.state,
            key.expires_at or "never",
            key.last_used_at or "never",
        )
        for key in keys
    ]
    session.output.rows(_COLUMNS, rows, empty="No keys.")


def create(
    session: Session,
    *,
    name: Annotated[str, typer.Option(help="A name for your own reference.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help="read, write, search or admin; several times for several.")
    ] = None,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", metavar="NAME", help="Restrict the key to collections.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="12h, 30d, 8w or a date; default: as the key in use.")] = None,
) -> None:
    """Create a key, and write it to standard output: it is shown only this once."""
    expires_at = None if expires is None else parse_expiry(expires)
    scopes = chosen("--scope", scope, Scope) or ["read", "search"]
    with session.client() as pali:
        key = pali.keys.create(name, scopes=scopes, collections=collection or None, expires_at=expires_at)
    _write_once(session, "key", as_json(key), key.key, f"Key {key.id}. It is shown only this once:")


def rotate(
    session: Session,
    key_id: Annotated[int, typer.Argument(help="Its id, as listed.")],
    *,
    overlap_hours: Annotated[int, typer.Option(help="How long the old key keeps working.")] = 24,
) -> None:
    """Replace a key, and write the new one to standard output."""
    with session.client() as pali:
        key = pali.keys.rotate(key_id, overlap_hours=overlap_hours)
    _write_once(session, "key", as_json(key), key.key, f"Key {key.id} replaces key {key_id}:")


def revoke(
    session: Session,
    key_id: Annotated[int, typer.Argument(help="Its id, as listed.")],
    *,
    descendants: Annotated[
        bool, typer.Option(help="Also revoke all keys that it created, and that those did.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Revoke a key immediately."""
    confirm(f"Revoke key {key_id}{' and all keys created with it' if descendants else ''}?", yes=yes)
    with session.client() as pali:
        pali.keys.revoke(key_id, with_descendants=descendants)
    if session.output.json:
        session.output.document({"revoked": key_id, "descendants": descendants})
    else:
        session.output.message(f"Key {key_id} is revoked.")


def _write_once(session: Session, name: str, value: Any, secret: str, introduction: str) -> None:
    """Write a secret alone to stdout, so that a script can store it."""
    if session.output.json:
        session.output.document({name: value})
        return
    session.output.message(introduction)
    session.output.line(secret)
