"""`pali login`, `pali logout` and `pali whoami`."""

import getpass
import sys
from typing import Annotated

import typer

from paliapi_client import Client
from paliapi_client.cli.as_json import as_json
from paliapi_client.cli.credentials import MAX_KEY, checked_key
from paliapi_client.cli.session import Session, command


def add_to(app: typer.Typer) -> None:
    command(app, "login")(login)
    command(app, "logout")(logout)
    command(app, "whoami")(whoami)


def login(
    session: Session,
    *,
    keyring: Annotated[bool, typer.Option(help="Store the key in the keyring of the system, if there is one.")] = True,
) -> None:
    """Check an API key and store it for later commands.

    The key is asked for, or read from standard input: pali login --url https://pali.example.com < key.txt
    """
    url = session.url
    key = _key(url)
    with Client(base_url=url, api_key=key, max_retries=0) as pali:
        me = pali.me()
    storage = session.logins.save(url, key, use_keyring=keyring)
    if session.output.json:
        session.output.document({"url": url, "stored_in": storage, "account": as_json(me)})
        return
    place = "the keyring" if storage == "keyring" else str(session.logins.path)
    session.output.line(f"Logged in to {url} as {me.email}; the key is in {place}.")


def logout(session: Session) -> None:
    """Delete the stored key of a server. The key stays valid: pali keys revoke ends it."""
    url = session.url
    was_stored = session.logins.delete(url)
    if session.output.json:
        session.output.document({"url": url, "deleted": was_stored})
    elif was_stored:
        session.output.line(f"The key for {url} is deleted from this machine.")
    else:
        session.output.line(f"No key for {url} is stored.")


def whoami(session: Session) -> None:
    """Show the server, the account and what the key permits."""
    credentials = session.logins.credentials(session.explicit_url)
    with session.client() as pali:
        me = pali.me()
    if session.output.json:
        account = as_json(me)
        session.output.document({"url": credentials.url, "key_from": credentials.source, "account": account})
        return
    reach = "all collections" if me.collections is None else ", ".join(me.collections)
    session.output.line(f"{me.email} at {credentials.url}")
    session.output.line(f"Key {me.key_name or me.key_id} ({credentials.source}): {', '.join(me.scopes)}; {reach}")


def _key(url: str) -> str:
    """Return the key that is typed, or the first line of standard input. It is never an argument: others see those."""
    key = getpass.getpass(f"API key for {url}: ") if sys.stdin.isatty() else sys.stdin.readline(MAX_KEY + 2)
    return checked_key(key.strip())
