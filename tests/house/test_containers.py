"""Containers have limits, no secrets, no root, and no published ports except those of the two web servers."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from paliapi import env, parts
from paliapi.env import ROOT

EXTENDED = ROOT / "deploy" / "compose-services.yml"
STACKS = [ROOT / "docker-compose.yml", ROOT / "docker-compose-local.yml"]
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "embeddings" / "Dockerfile"]
NOT_OURS = {"db"}
# Whose networks are more than the internal ones of the services that it uses.
OUTSIDE = {
    "web": {"front"},
    "admin": {"front"},
    "worker": {"egress"},
    "courier": {"egress"},
    "embeddings-gpu": {"egress"},
}
WITH_SECRETS = {"db", "redis", "embeddings", *parts.PARTS}


def services() -> dict[str, dict[str, Any]]:
    """Return every service, merged from all Compose files."""
    extended = yaml.safe_load(EXTENDED.read_text())["services"]
    results = {}
    for stack in STACKS:
        for name, said in yaml.safe_load(stack.read_text())["services"].items():
            base = extended.get(said.get("extends", {}).get("service"), {})
            environment = {**base.get("environment", {}), **said.get("environment", {})}
            networks = base.get("networks", []) + said.get("networks", [])
            results[f"{stack.name}: {name}"] = {**base, **said, "environment": environment, "networks": networks}
    return results


@pytest.fixture(params=list(services().items()), ids=list(services()))
def service(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    name, said = request.param
    return name.rpartition(" ")[2], said


def test_only_the_web_servers_publish_a_port_on_localhost(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    published = {
        "web": ["${PALIAPI_PUBLISH:-127.0.0.1:8001}:8001"],
        "admin": ["${PALIAPI_PUBLISH_ADMIN:-127.0.0.1:9001}:9001"],
    }
    assert said.get("ports", []) == published.get(name, [])
    assert not {"privileged", "devices", "pid", "ipc"} & said.keys()


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
    assert "env_file" not in said or name in ("secrets", "roles", "web", "admin", "worker")


def test_services_run_without_root_and_read_only(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert said["security_opt"] == ["no-new-privileges:true"]
    if name not in NOT_OURS:
        assert not {"user", "cap_add"} & said.keys()


def test_services_have_limits(service: tuple[str, dict[str, Any]]) -> None:
    _, said = service
    assert said["mem_limit"]
    # docker-compose 1.29 does not convert the value of a variable to a number here.
    assert isinstance(said["pids_limit"], int)
    assert all("size=" in mount for mount in said.get("tmpfs", ()))


def test_only_services_that_need_it_reach_other_networks(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    internal = {"database", "queue", "model"}
    assert set(said["networks"]) - internal == OUTSIDE.get(name, set())
    assert said.get("network_mode") == ("none" if name == "secrets" else None)
    assert bool(said["networks"]) == (name != "secrets")


@pytest.mark.parametrize("stack", STACKS, ids=lambda file: file.name)
def test_data_services_are_on_internal_networks(stack: Path) -> None:
    networks = yaml.safe_load(stack.read_text())["networks"]
    assert {name for name, said in networks.items() if (said or {}).get("internal") is not True} == {"front", "egress"}


def test_images_of_our_own_are_built_and_never_pulled(service: tuple[str, dict[str, Any]]) -> None:
    name, said = service
    if name not in NOT_OURS:
        assert re.fullmatch(r"localhost/paliapi-[a-z]+:(local|cuda)", said["image"])
        assert said["pull_policy"] == "never"
        assert said["build"]["target"]


def test_production_is_the_default() -> None:
    extended = yaml.safe_load(EXTENDED.read_text())
    assert extended["x-settings"]["PALIAPI_MODE"] == "${PALIAPI_MODE:-production}"
    assert extended["services"]["web"]["build"]["target"] == "${PALIAPI_TARGET:-web}"


@pytest.mark.parametrize(
    "file",
    [*ROOT.glob("docs/**/*.md"), ROOT / "README.md", *ROOT.glob("embeddings/**/*.*")],
    ids=lambda file: file.name,
)
def test_documents_name_no_image_that_a_public_registry_could_provide(file: Path) -> None:
    if file.suffix in (".md", ".yaml", ".yml", ""):
        used = r"(?:docker (?:build|run|pull|push)\b.*\s|image: )(paliapi-[\w:-]+)"
        assert re.findall(used, file.read_text()) == []


def test_base_images_can_be_pinned_by_digest(tmp_path: Path) -> None:
    files = ["Dockerfile", "embeddings/Dockerfile", "deploy/compose-services.yml", "deploy/pin-images"]
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    python = _pin(tmp_path, "1" * 64)
    assert python == f"python:3.12-slim-bookworm@sha256:{'1' * 64}"
    assert _pin(tmp_path, "2" * 64) == f"python:3.12-slim-bookworm@sha256:{'2' * 64}"
    extended = (tmp_path / files[2]).read_text()
    assert "image: ${POSTGRES_IMAGE:-pgvector/pgvector:pg18@sha256:" + "2" * 64 + "}\n" in extended
    unpinned = [re.sub(r"@sha256:[0-9a-f]{64}", "", (tmp_path / name).read_text()) for name in files]
    assert unpinned == [re.sub(r"@sha256:[0-9a-f]{64}", "", (ROOT / name).read_text()) for name in files]


def _pin(folder: Path, digest: str) -> str:
    """Pin with a Docker that reports this digest for every image; return the base image of both Dockerfiles."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    docker = programs / "docker"
    docker.write_text(f'#!/bin/sh\n[ "$1" = pull ] || echo "some/name@sha256:{digest}"\n')
    docker.chmod(0o755)
    environ = {"PATH": f"{programs}:{os.defpath}"}
    subprocess.run([folder / "deploy" / "pin-images"], env=environ, check=True, capture_output=True)
    (used,) = {
        line for name in ("Dockerfile", "embeddings/Dockerfile") for line in _base_images((folder / name).read_text())
    }
    return used


def _base_images(dockerfile: str) -> list[str]:
    """Return the public images that a Dockerfile builds on; all of them are arguments that can be overridden."""
    stages = set(re.findall(r"^FROM .* AS (\S+)", dockerfile, re.MULTILINE)) | {"scratch", "${PYTHON}"}
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) <= stages
    return re.findall(r"^ARG PYTHON=(.*)$", dockerfile, re.MULTILINE)


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
