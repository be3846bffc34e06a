"""The ports that platforms give."""

import os
import socket
import subprocess
import sys
import time

import httpx

from embeddings.config import parse

_DEADLINE_S = 30


def free_ports(count: int) -> list[int]:
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return ports


def pinged(port: int) -> int:
    """What /ping answers, once anything does."""
    until = time.monotonic() + _DEADLINE_S
    while True:
        try:
            status = httpx.get(f"http://127.0.0.1:{port}/ping").status_code
        except httpx.TransportError:
            assert time.monotonic() < until
        else:
            if status == 200:
                return status
            assert time.monotonic() < until
        time.sleep(0.05)  # between two looks, with the deadline above


def test_a_platform_names_the_port_and_ours_goes_first() -> None:
    assert parse({"COLPALI_AUTH": "none", "PORT": "80", "PORT_HEALTH": "81"}).port == 80
    assert parse({"COLPALI_AUTH": "none", "PORT": "80", "COLPALI_PORT": "9000"}).port == 9000
    assert parse({"COLPALI_AUTH": "none", "PORT_HEALTH": "81"}).health_port == 81


def test_a_second_port_answers_for_health_and_containers_can_ask() -> None:
    port, health = free_ports(2)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLPALI_")}  # noqa: TID251
    given = kept | {"COLPALI_BACKEND": "lexical", "COLPALI_AUTH": "none", "PORT": str(port), "PORT_HEALTH": str(health)}
    asking = [sys.executable, "-m", "embeddings.launchers.healthcheck"]
    assert subprocess.run(asking, env=given, capture_output=True, check=False).returncode == 1
    process = subprocess.Popen([sys.executable, "-m", "embeddings"], env=given)
    try:
        assert pinged(health) == pinged(port) == 200
        assert subprocess.run(asking, env=given, check=False).returncode == 0
    finally:
        process.terminate()
        process.wait(_DEADLINE_S)
