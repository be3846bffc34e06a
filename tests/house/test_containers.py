"""Containers have no secrets, no root, and no published port except the web server's."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from paliapi.env import ROOT

PARTS = ROOT / "deploy" / "compose-services.yml"
STACKS = [ROOT / "docker-compose.yml", ROOT / "docker-compose-local.yml"]
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "embeddings" / "Dockerfile"]
NOT_OURS = {"db", "redis"}


def services() -> dict[str, dict[str, Any]]:
    """Return every service, merged from all Compose files."""
    parts = yaml.safe_load(PARTS.read_text())["services"]
    results = {}
    for stack in STACKS:
        for name, said in yaml.safe_load(stack.read_text())["services"].items():
            results[f"{stack.name}: {name}"] = {**parts.get(said.get("extends", {}).get("service"), {}), **said}
    return results


@pytest.fixture(params=list(services().items()), ids=list(services()))
def service(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    name, said = request.param
    return name.rpartition(" ")[2], said


def test_only_the_web_server_publishes_a_port_on_localhost(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    assert said.get("ports", []) == (["${PALIAPI_PUBLISH:-127.0.0.1:8001}:8001"] if name == "web" else [])
    assert not {"network_mode", "privileged", "cap_add"} & said.keys()


def test_services_run_without_root_and_read_only(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    if name not in NOT_OURS:
        assert said["read_only"] is True
        assert said["cap_drop"] == ["ALL"]
        assert said["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in said


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_container_image_runs_as_root(file: Path) -> None:
    users, run, stage = dict[str, str](), set[str](), ""
    for line in file.read_text().splitlines():
        if created := re.match(r"FROM (\S+)(?: AS (\S+))?", line):
            stage = created[2] or "last"
            users[stage] = users.get(created[1], "root")
            run |= {stage} if created[1] in run else set()
        elif given := re.match(r"USER (\S+)", line):
            users[stage] = given[1]
        elif re.match(r"CMD|ENTRYPOINT", line):
            run.add(stage)
    assert {users[stage] for stage in run} == {"10001"}, users


@pytest.mark.parametrize("file", [PARTS, *STACKS, *DOCKERFILES], ids=lambda file: str(file.relative_to(ROOT)))
def test_no_secret_is_in_the_files_of_the_containers(file: Path) -> None:
    text = file.read_text()
    words = re.findall(r"(\w*(?:SECRET|PASSWORD|TOKEN|KEY|PEPPERS|DATABASE\w*URL|REDIS_URL)\w*)\s*[:=]\s*(\S+)", text)
    read_or_shown = ('"$$(cat', '"..."')
    assert [pair for pair in words if not pair[0].endswith("_FILE") and pair[1] not in read_or_shown] == []
    assert "AUTH_METHOD" not in text
