"""Fixtures of journeys: gunicorn in its own process, with the tests' Postgres and Redis."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from colivara_py import ColiVara  # type: ignore[import-untyped]
from pytest_django import Settings

from paliapi.env import ROOT
from tests.cast import Someone, someone
from tests.embeddings.serving import KEY, serving
from tests.environment import ENVIRONMENT, Services, compiled_here, measured

_READY_WITHIN_S = 30


@dataclass(frozen=True)
class Web:
    """A running server, its folder of files, and the environment of its processes."""

    url: str
    files: Path
    environment: dict[str, str]
    fetch_port: int

    @property
    def home(self) -> Path:
        """The file with its output."""
        return self.files.parent


@pytest.fixture(scope="session")
def web(services: Services, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with serving() as embeddings, (folder / "log").open("w") as log:
        port, fetch_port = _free_port(), _free_port()
        environment = {
            **ENVIRONMENT,
            **compiled_here(),
            "PATH": os.defpath,
            "PALIAPI_HOME": str(folder),
            "PALIAPI_PORT": str(port),
            "DATABASE_URL": services.app_url,
            "DATABASE_WORKER_URL": services.worker_url,
            "REDIS_URL": services.redis_url,
            "EMBEDDINGS_URL": str(embeddings.base_url),
            "EMBEDDINGS_URL_TOKEN": KEY,
            "LOG_LEVEL": "INFO",
            "WAIT_TIMEOUT_S": "30",
            # A journey asks for more in a few seconds than people do.
            "RATE_BURST": "10000",
            "FETCH_ALLOW": "127.0.0.1",
            "FETCH_PORTS": f"80,443,{fetch_port}",
            "WEBHOOK_ALLOW": "127.0.0.1",
            "WEBHOOK_PORTS": str(_free_port()),
        }
        command = [sys.executable, "-m", "gunicorn", "-c", "python:paliapi.gunicorn_settings", "paliapi.wsgi"]
        with subprocess.Popen(
            command, cwd=ROOT, env={**environment, "PALIAPI_PART": "web", **measured()}, stderr=log
        ) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_until_it_answers(url, process, log=Path(log.name))
                yield Web(url, folder / "files", environment, fetch_port)
            finally:
                process.terminate()
                process.wait(timeout=20)


@pytest.fixture
def owner(transactional_db: None, web: Web, settings: Settings) -> Someone:
    """An owner that the server knows; files that tests store are visible to the server."""
    usual = settings.STORAGES["default"]
    options = {**usual["OPTIONS"], "location": web.files}
    settings.STORAGES = {**settings.STORAGES, "default": {**usual, "OPTIONS": options}}
    return someone("journey@example.com")


@pytest.fixture
def colivara(owner: Someone, web: Web) -> Iterator[ColiVara]:
    """The unmodified public client."""
    yield from client_of(owner.key, web)


def client_of(key: str, web: Web) -> Iterator[ColiVara]:
    client = ColiVara(api_key=key, base_url=web.url)
    yield client
    client.api_client.rest_client.pool_manager.clear()


def _free_port() -> int:
    """Return a port that nobody uses, outside the range from which the system takes ports for connections."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]", *, log: Path) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/livez").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)  # polls until the deadline above
    pytest.fail(f"The web did not start:\n{log.read_text()}")
