"""The service as a process: `python -m embeddings`."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.embeddings.serving import DEADLINE_S, KEY, until_ready


def environment(**values: str) -> dict[str, str]:
    """Return the environment without settings of the service, with the lexical backend and `values`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COLPALI_")}  # noqa: TID251
    return inherited | {"COLPALI_BACKEND": "lexical"} | values


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@contextmanager
def process(**values: str) -> Iterator[tuple["subprocess.Popen[bytes]", httpx.Client]]:
    (port,) = free_ports(1)
    started = subprocess.Popen([sys.executable, "-m", "embeddings"], env=environment(COLPALI_PORT=str(port), **values))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {KEY}"}) as client:
            until_ready(client)
            yield started, client
    finally:
        started.kill()
        started.wait()


def test_process_serves_and_ends_after_sigterm() -> None:
    with process(COLPALI_API_KEY=KEY) as (started, client):
        response = client.post("/embeddings", json={"input_type": "text", "inputs": ["hello world"]})
        assert len(response.json()["embeddings"][0]) == 2
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) in (0, -signal.SIGTERM)


def test_process_refuses_to_start_without_a_key() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "embeddings"], env=environment(), capture_output=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert b"COLPALI_API_KEY is not set" in ended.stderr


def test_process_refuses_to_start_with_an_unknown_model() -> None:
    environ = environment(COLPALI_API_KEY=KEY, COLPALI_BACKEND="embedded", COLPALI_MODEL_NAME="vidore/colpali")
    ended = subprocess.run(
        [sys.executable, "-m", "embeddings"], env=environ, capture_output=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert b"COLPALI_MODEL_NAME must be one of paliapi/embedded-e5-ocr-v1" in ended.stderr


def test_mode_none_serves_without_a_key() -> None:
    with process(COLPALI_AUTH="none") as (_, client):
        body = {"input_type": "text", "inputs": []}
        assert httpx.post(f"{client.base_url}/embeddings", json=body).status_code == 200


def ping(port: int) -> int:
    """Return the status of /ping, once the service answers 200."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            status = httpx.get(f"http://127.0.0.1:{port}/ping").status_code
        except httpx.TransportError:
            assert time.monotonic() < deadline
        else:
            if status == 200:
                return status
            assert time.monotonic() < deadline
        time.sleep(0.05)  # poll, until the deadline above


def test_health_port_is_served_too_and_container_health_check_works() -> None:
    port, health_port = free_ports(2)
    env = environment(COLPALI_AUTH="none", PORT=str(port), PORT_HEALTH=str(health_port))
    health_check = [sys.executable, "-m", "embeddings.launchers.healthcheck"]
    assert subprocess.run(health_check, env=env, capture_output=True, check=False).returncode == 1
    started = subprocess.Popen([sys.executable, "-m", "embeddings"], env=env)
    try:
        assert ping(health_port) == ping(port) == 200
        assert subprocess.run(health_check, env=env, check=False).returncode == 0
    finally:
        started.terminate()
        started.wait(DEADLINE_S)
