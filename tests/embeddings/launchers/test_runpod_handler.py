"""The handler under Runpod's own worker: its local server, and a test input."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import embeddings.launchers
from embeddings.client import Client

_FOLDER = Path(embeddings.launchers.__file__).parent
_DEADLINE_S = 60


def started(*arguments: str, folder: Path, **values: str) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLPALI_")}  # noqa: TID251
    return subprocess.Popen(
        [sys.executable, "-m", "embeddings.launchers.runpod_handler", *arguments],
        env=kept | {"COLPALI_BACKEND": "lexical", "PYTHONPATH": str(_FOLDER.parents[1])} | values,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Runpod's local server with our handler behind it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ("--rp_serve_api", "--rp_api_host", "127.0.0.1", "--rp_api_port", str(port))
    process = started(*arguments, folder=tmp_path_factory.mktemp("runpod"))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_DEADLINE_S) as client:
            until_open(client)
            yield client
    finally:
        process.kill()
        process.communicate()


def until_open(client: httpx.Client) -> None:
    until = time.monotonic() + _DEADLINE_S
    while time.monotonic() < until:
        try:
            client.get("/docs")
        except httpx.TransportError:
            time.sleep(0.1)  # between two looks, with the deadline above
        else:
            return
    raise AssertionError("Runpod's server did not start.")


def ran(client: httpx.Client, given: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/runsync", json={"input": given}).raise_for_status().json()
    return answer


def test_a_job_runs_at_once(server: httpx.Client) -> None:
    job = ran(server, {"input_type": "text", "inputs": ["hello world"]})
    assert job["status"] == "COMPLETED"
    assert job["output"]["embeddings"][0]["shape"] == [2, 128]


def test_a_job_of_the_shape_of_colivare_runs(server: httpx.Client) -> None:
    job = ran(server, {"task": "query", "input_data": ["hello world"]})
    assert len(job["output"]["data"][0]["embedding"]) == 2


def test_what_cannot_be_done_fails_or_is_told(server: httpx.Client) -> None:
    assert ran(server, {"task": "dance", "input_data": []})["status"] == "FAILED"
    assert ran(server, {"input_type": "image", "inputs": ["!"]})["output"]["problem"]["index"] == 0


def test_a_job_is_queued_and_asked_for_later(server: httpx.Client) -> None:
    job = server.post("/run", json={"input": {"input_type": "text", "inputs": ["hello"]}}).json()
    assert job["status"] == "IN_PROGRESS"
    assert server.post(f"/status/{job['id']}").json()["status"] == "COMPLETED"


def test_our_own_client_speaks_with_it(server: httpx.Client) -> None:
    with Client(str(server.base_url), token="any", transport="runpod") as client:
        space = client.embed_queries(["hello world"]).space
    assert space is not None
    assert space.model == "paliapi/lexical-v1"


def test_the_test_input_runs_and_no_vectors_of_it_are_logged_by_default() -> None:
    said, _ = started(folder=_FOLDER).communicate(timeout=_DEADLINE_S)
    assert "completed successfully" in said
    assert "DEBUG" not in said
    given = json.dumps({"input": {"input_type": "text", "inputs": ["hello"]}})
    process = started("--test_input", given, folder=_FOLDER)
    said, _ = process.communicate(timeout=_DEADLINE_S)
    assert process.returncode == 0
    assert "completed successfully" in said


def test_a_model_that_cannot_be_loaded_ends_the_worker(tmp_path: Path) -> None:
    process = started(folder=tmp_path, COLPALI_BACKEND="native", COLPALI_MODEL_NAME=str(tmp_path))
    said, _ = process.communicate(timeout=_DEADLINE_S)
    assert process.returncode not in (0, None)
    assert said
