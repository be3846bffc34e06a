"""`pali login`, `pali logout`, `pali whoami`."""

from pathlib import Path

from cli.conftest import KEY, run
from cli.pseudo_terminal import Terminal, environ
from cli.remote_server import RemoteServer, problem
from cli.test_session import PALI


def test_key_from_standard_input_is_checked_and_used(home: Path, server: RemoteServer) -> None:
    done = run("login", "--url", server.url, "--json", typed=f"{KEY}\n")
    assert done.code == 0
    assert (done.json["url"], done.json["stored_in"]) == (server.url, "file")
    assert KEY not in done.out + done.err
    assert run("whoami", "--json").json["key_from"] == "file"
    assert [one.headers["authorization"] for one in server.calls("getMe")] == [f"Bearer {KEY}"] * 2


def test_rejected_key_is_not_stored(home: Path, server: RemoteServer) -> None:
    server.overrides["getMe"] = lambda _request: problem(401, "unauthenticated", "Unknown key.")
    assert run("login", "--url", server.url, typed=KEY).code == 3
    assert list(home.rglob("logins.json")) == []


def test_empty_and_impossible_keys_are_rejected(home: Path, server: RemoteServer) -> None:
    for typed in ("", "\n", "two words", "schlüssel", "x" * 10_000, "a\x1bb"):
        assert run("login", "--url", server.url, typed=typed).code == 2
    assert server.received == []


def test_typed_key_is_not_shown(server: RemoteServer, tmp_path: Path) -> None:
    terminal = Terminal(typed={b"API key": f"{KEY}\n".encode()})
    code, shown = terminal.run([*PALI, "login", "--no-keyring", "--url", server.url], environ(HOME=str(tmp_path)))
    assert code == 0
    assert KEY.encode() not in shown
    assert b"Logged in" in shown


def test_logout_deletes_the_key(home: Path, server: RemoteServer) -> None:
    run("login", "--url", server.url, typed=KEY)
    assert run("logout", "--url", server.url, "--json").json == {"url": server.url, "deleted": True}
    assert run("ls", "--url", server.url).code == 3
    assert run("logout", "--url", server.url).code == 0
