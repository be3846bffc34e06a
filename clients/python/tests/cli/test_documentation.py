"""CLI.md lists every command, the keys of its JSON, and every exit code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli.conftest import Run
from paliapi_client.cli.app import app
from paliapi_client.cli.exit_codes import ExitCode

PAGE = (Path(__file__).parents[2] / "CLI.md").read_text()
ROWS = dict(re.findall(r"^\| `(pali [^`]+)` \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE))


def commands(group: typer.Typer, path: str = "pali") -> Iterator[str]:
    for command in group.registered_commands:
        yield f"{path} {command.name}"
    for inner in group.registered_groups:
        assert inner.typer_instance
        yield from commands(inner.typer_instance, f"{path} {inner.name}")


def test_every_command_is_listed() -> None:
    assert set(commands(app)) == set(ROWS)


def test_every_exit_code_is_listed() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert listed == {int(code) for code in ExitCode}


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("pali whoami", []),
        ("pali ls", []),
        ("pali ls", ["reports"]),
        ("pali search", ["light"]),
        ("pali up", ["CLI.md"]),
        ("pali import", ["tests/cli", "--dry-run"]),
        ("pali status", []),
        ("pali keys list", []),
        ("pali keys create", []),
        ("pali keys rotate", ["1"]),
        ("pali keys revoke", ["1", "-y"]),
        ("pali webhooks list", []),
        ("pali webhooks create", ["https://example.com"]),
        ("pali webhooks enable", ["1"]),
        ("pali webhooks test", ["1"]),
        ("pali webhooks rotate-secret", ["1"]),
        ("pali webhooks deliveries", ["1"]),
        ("pali webhooks replay", ["1", "2"]),
        ("pali webhooks delete", ["1", "-y"]),
        ("pali rm", ["-c", "reports", "--all", "-y"]),
    ],
)
def test_json_has_the_documented_keys(
    pali: Run, monkeypatch: pytest.MonkeyPatch, command: str, arguments: list[str]
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    keys = set(pali(*command.split()[1:], *arguments, "--json").json)
    alternatives = [set(re.findall(r"`(\w+)`", part)) for part in ROWS[command].split(", or ")]
    assert keys in alternatives
