"""A server to talk to, and a command line without anything of the machine it runs on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import keyring.backends.fail
import pytest
from typer.testing import CliRunner

from cli import remote_server
from cli.remote_server import RemoteServer
from paliapi_client.cli.app import app

KEY = "pali_4fJ0QmXz81Lc_0123456789abcdefghijklmnopqrstuv123456"


@dataclass(frozen=True)
class Finished:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        import json  # noqa: PLC0415

        return json.loads(self.out)


Run = Callable[..., Finished]


@pytest.fixture
def server() -> Iterator[RemoteServer]:
    with remote_server.running() as one:
        yield one


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("PALIAPI_URL", "PALIAPI_API_KEY", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "COLIVARA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    yield folder
    keyring.set_keyring(before)


@pytest.fixture
def pali(home: Path, server: RemoteServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `pali` in this process, with the key of the server in the environment."""
    monkeypatch.setenv("PALIAPI_URL", server.url)
    monkeypatch.setenv("PALIAPI_API_KEY", KEY)
    return run


def run(*arguments: object, typed: str | None = None) -> Finished:
    result = CliRunner().invoke(app, [str(one) for one in arguments], input=typed, catch_exceptions=False)
    return Finished(result.exit_code, result.stdout, result.stderr)
