"""The real process."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.embeddings.serving import KEY, until_ready


def environment(**values: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLPALI_")}  # noqa: TID251
    return kept | {"COLPALI_BACKEND": "lexical"} | values


@contextmanager
def process(**values: str) -> Iterator[tuple["subprocess.Popen[bytes]", httpx.Client]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = subprocess.Popen([sys.executable, "-m", "embeddings"], env=environment(COLPALI_PORT=str(port), **values))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {KEY}"}) as client:
            until_ready(client)
            yield started, client
    finally:
        started.kill()
        started.wait()


def test_the_process_serves_and_ends_when_told() -> None:
    with process(COLPALI_API_KEY=KEY) as (started, client):
        answer = client.post("/embeddings", json={"input_type": "text", "inputs": ["hello world"]})
        assert len(answer.json()["embeddings"][0]) == 2
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) in (0, -signal.SIGTERM)


def test_without_a_key_it_refuses_to_start_and_says_why() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "embeddings"], env=environment(), capture_output=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert b"COLPALI_API_KEY is not set" in ended.stderr


def test_it_serves_everybody_only_when_told_so() -> None:
    with process(COLPALI_AUTH="none") as (_, client):
        assert httpx.post(f"{client.base_url}/embeddings", json={"input_type": "text", "inputs": []}).status_code == 200
