"""Jobs of a queue, run by the real service without a port."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from embeddings.launchers import jobs
from embeddings.launchers.background import BackgroundService
from tests.embeddings.serving import encoded, settings, text_image


@pytest.fixture(scope="module")
def service() -> Iterator[BackgroundService]:
    started = BackgroundService(settings(COLPALI_AUTH="gateway"))
    started.start()
    yield started
    started.stop()


def output_of(job_input: Any, *, service: BackgroundService) -> dict[str, Any]:
    return asyncio.run(jobs.run(job_input, service=service))


def test_job_input_is_a_request_body_and_vectors_are_base64(service: BackgroundService) -> None:
    output = output_of({"input_type": "text", "inputs": ["hello world"]}, service=service)
    (embedding,) = output["embeddings"]
    rows = np.frombuffer(base64.b64decode(embedding["data"]), dtype="<f2").reshape(embedding["shape"])
    assert rows.shape == (2, 128)
    assert (output["model"], output["dim"]) == ("paliapi/lexical-v1", 128)


def test_options_of_the_job_take_precedence_over_defaults(service: BackgroundService) -> None:
    job_input = {"input_type": "text", "inputs": ["hello"], "encoding_format": "float", "include": ["usage"]}
    output = output_of(job_input, service=service)
    assert len(output["embeddings"][0][0]) == 128
    assert output["usage"] == {"inputs": 1, "vectors": 1}
    assert output["model"]


def test_job_with_documents_ranks_them(service: BackgroundService) -> None:
    output = output_of({"query": "penguins", "documents": ["bread", "penguins"]}, service=service)
    assert [result["index"] for result in output["results"]] == [1, 0]
    output = output_of({"query": "a", "documents": ["a"], "method": "cross_encoder"}, service=service)
    assert (output["problem"]["status"], output["problem"]["code"]) == (501, "reranker_missing")


@pytest.mark.parametrize(("task", "data"), [("query", "hello world"), ("image", encoded(text_image("Invoice")))])
def test_colivare_job_returns_the_format_of_colivare(service: BackgroundService, task: str, data: str) -> None:
    output = output_of({"task": task, "input_data": [data, data]}, service=service)
    assert output["object"] == "list"
    assert [(entry["object"], entry["index"]) for entry in output["data"]] == [("embedding", 0), ("embedding", 1)]
    assert len(output["data"][0]["embedding"][0]) == 128
    assert output["usage"]["total_tokens"] == sum(len(entry["embedding"]) for entry in output["data"])


def test_invalid_image_is_a_problem_with_its_index(service: BackgroundService) -> None:
    output = output_of({"input_type": "image", "inputs": [encoded(text_image()), "!"]}, service=service)
    assert (output["problem"]["status"], output["problem"]["index"]) == (422, 1)


@pytest.mark.parametrize(
    "job_input",
    [None, [], "text", {}, {"inputs": 1}, {"input_type": "text", "inputs": [1]}, {"include": 3, "input_type": "text"}],
)
def test_invalid_job_input_is_a_problem(service: BackgroundService, job_input: Any) -> None:
    assert output_of(job_input, service=service)["problem"]["status"] in (413, 422)


@pytest.mark.parametrize("job_input", [{"input_data": ["x"]}, {"task": "query", "input_data": 3}])
def test_invalid_colivare_job_fails(service: BackgroundService, job_input: Any) -> None:
    assert isinstance(output_of(job_input, service=service)["error"], str)


def test_jobs_from_several_event_loops_run_concurrently(service: BackgroundService) -> None:
    async def run_all() -> list[dict[str, Any]]:
        job_inputs = [{"input_type": "text", "inputs": [word]} for word in ("one", "two", "three")]
        return await asyncio.gather(*(jobs.run(job_input, service=service) for job_input in job_inputs))

    assert len({str(output["embeddings"]) for output in asyncio.run(run_all())}) == 3
    assert len(asyncio.run(run_all())) == 3
