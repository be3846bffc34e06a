"""What the README says about configurations and options is true."""

import json
import re
from pathlib import Path

import pytest

from paliapi_mcp.command import main

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_configurations_are_valid_and_start_the_command() -> None:
    configurations = [
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    ]
    servers = [(one.get("mcpServers") or one["servers"])["paliapi"] for one in configurations]
    local = [server for server in servers if "command" in server]
    assert len(local) == 2
    assert {server["command"] for server in local} == {"paliapi-mcp"}
    assert {name for server in local for name in server["env"]} == {"PALIAPI_URL", "PALIAPI_API_KEY"}
    [remote] = [server for server in servers if "url" in server]
    assert remote["url"].endswith("/mcp")
    assert remote["headers"]["Authorization"].startswith("Bearer ")


def test_every_option_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"], {})
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--version"}
    table = README.split("## Options")[1].split("## ")[0]
    assert set(re.findall(r"--[a-z][a-z-]+", table)) == options
