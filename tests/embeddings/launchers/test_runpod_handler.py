"""The handler in Runpod's own worker: with its local server, and with a test input."""

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


def start(*arguments: str, folder: Path, **values: str) -> "subprocess.Popen[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COLPALI_")}  # noqa: TID251
    return subprocess.Popen(
        [sys.executable, "-m", "embeddings.launchers.runpod_handler", *arguments],
        env=inherited | {"COLPALI_BACKEND": "lexical", "PYTHONPATH": str(_FOLDER.parents[1])} | values,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Runpod's local server with our handler."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ("--rp_serve_api", "--rp_api_host", "127.0.0.1", "--rp_api_port", str(port))
    process = start(*arguments, folder=tmp_path_factory.mktemp("runpod"))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_DEADLINE_S) as client:
            wait_until_open(client)
            yield client
    finally:
        process.kill()
        process.communicate()


def wait_until_open(client: httpx.Client) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        try:
            client.get("/docs")
        except httpx.TransportError:
            time.sleep(0.1)  # poll, until the deadline above
        else:
            return
    raise AssertionError("Runpod's server did not start.")


def run_job(client: httpx.Client, job_input: dict[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = client.post("/runsync", json={"input": job_input}).raise_for_status().json()
    return job


def test_job_runs_synchronously(server: httpx.Client) -> None:
    job = run_job(server, {"input_type": "text", "inputs": ["hello world"]})
    assert job["status"] == "COMPLETED"
    assert job["output"]["embeddings"][0]["shape"] == [2, 128]


def test_colivare_job_runs(server: httpx.Client) -> None:
    job = run_job(server, {"task": "query", "input_data": ["hello world"]})
    assert len(job["output"]["data"][0]["embedding"]) == 2


def test_invalid_job_fails_or_returns_a_problem(server: httpx.Client) -> None:
    assert run_job(server, {"task": "dance", "input_data": []})["status"] == "FAILED"
    assert run_job(server, {"input_type": "image", "inputs": ["!"]})["output"]["problem"]["index"] == 0


def test_job_is_queued_and_polled(server: httpx.Client) -> None:
    job = server.post("/run", json={"input": {"input_type": "text", "inputs": ["hello"]}}).json()
    assert job["status"] == "IN_PROGRESS"
    assert server.post(f"/status/{job['id']}").json()["status"] == "COMPLETED"


def test_our_client_can_use_the_queue(server: httpx.Client) -> None:
    with Client(str(server.base_url), token="any", transport="runpod") as client:
        space = client.embed_queries(["hello world"]).space
    assert space is not None
    assert space.model == "paliapi/lexical-v1"


def test_test_input_runs_and_its_vectors_are_not_logged_by_default() -> None:
    output, _ = start(folder=_FOLDER).communicate(timeout=_DEADLINE_S)
    assert "completed successfully" in output
    assert "DEBUG" not in output
    job = json.dumps({"input": {"input_type": "text", "inputs": ["hello"]}})
    process = start("--test_input", job, folder=_FOLDER)
    output, _ = process.communicate(timeout=_DEADLINE_S)
    assert process.returncode == 0
    assert "completed successfully" in output


def test_worker_exits_if_its_model_cannot_be_loaded(tmp_path: Path) -> None:
    process = start(folder=tmp_path, COLPALI_BACKEND="native", COLPALI_MODEL_NAME=str(tmp_path))
    output, _ = process.communicate(timeout=_DEADLINE_S)
    assert process.returncode not in (0, None)
    assert output
