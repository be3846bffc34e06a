"""Containers have no secrets, no root, and no published port except the web server's."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from paliapi import env, parts
from paliapi.env import ROOT

EXTENDED = ROOT / "deploy" / "compose-services.yml"
STACKS = [ROOT / "docker-compose.yml", ROOT / "docker-compose-local.yml"]
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "embeddings" / "Dockerfile"]
NOT_OURS = {"db", "redis"}
WITH_SECRETS = {"db", "redis", "embeddings", *parts.PARTS}


def services() -> dict[str, dict[str, Any]]:
    """Return every service, merged from all Compose files."""
    extended = yaml.safe_load(EXTENDED.read_text())["services"]
    results = {}
    for stack in STACKS:
        for name, said in yaml.safe_load(stack.read_text())["services"].items():
            base = extended.get(said.get("extends", {}).get("service"), {})
            environment = {**base.get("environment", {}), **said.get("environment", {})}
            results[f"{stack.name}: {name}"] = {**base, **said, "environment": environment}
    return results


@pytest.fixture(params=list(services().items()), ids=list(services()))
def service(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    name, said = request.param
    return name.rpartition(" ")[2], said


def test_only_the_web_server_publishes_a_port_on_localhost(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    assert said.get("ports", []) == (["${PALIAPI_PUBLISH:-127.0.0.1:8001}:8001"] if name == "web" else [])
    assert not {"network_mode", "privileged", "cap_add"} & said.keys()


def test_each_service_mounts_only_its_own_secrets(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    mounts = dict(mount.split(":")[:2] for mount in said.get("volumes", []))
    secrets = {volume: path for volume, path in mounts.items() if volume.startswith(("administration", "secrets"))}
    if name == "secrets":
        assert secrets.pop("administration") == "/volumes/administration"
        assert secrets == {f"secrets-{part}": f"/volumes/{part}" for part in WITH_SECRETS}
    else:
        own = {"roles": "administration", "embeddings-gpu": "secrets-embeddings"}.get(name, f"secrets-{name}")
        assert secrets == {own: "/secrets"}


def test_each_service_reads_only_its_own_secrets(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    environ = said.get("environment", {})
    files = {variable.removesuffix("_FILE") for variable in environ if variable.endswith("_FILE")}
    if name in parts.PARTS:
        assert environ["PALIAPI_PART"] == name
        assert files <= {setting.name for setting in env.settings() if name in setting.parts}
    elif name != "roles":
        assert files <= {"COLPALI_API_KEY"}
    assert ("DATABASE_ADMIN_URL" in files) == (name == "roles")
    # The file of the operator contains further secrets, for these services.
    assert "env_file" not in said or name in ("secrets", "roles", "web", "worker")


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


@pytest.mark.parametrize("file", [EXTENDED, *STACKS, *DOCKERFILES], ids=lambda file: str(file.relative_to(ROOT)))
def test_no_secret_is_in_the_files_of_the_containers(file: Path) -> None:
    text = file.read_text()
    words = re.findall(r"(\w*(?:SECRET|PASSWORD|TOKEN|KEY|PEPPERS|DATABASE\w*URL|REDIS_URL)\w*)\s*[:=]\s*(\S+)", text)
    read_or_shown = ('"$$(cat', '"..."')
    assert [pair for pair in words if not pair[0].endswith("_FILE") and pair[1] not in read_or_shown] == []
    assert "AUTH_METHOD" not in text
