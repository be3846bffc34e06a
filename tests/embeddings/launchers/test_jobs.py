"""Jobs of a queue, answered by the real service without a port."""

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


def answered(given: Any, *, service: BackgroundService) -> dict[str, Any]:
    return asyncio.run(jobs.run(given, service=service))


def test_a_job_is_the_body_of_a_request_and_its_vectors_come_back_small(service: BackgroundService) -> None:
    found = answered({"input_type": "text", "inputs": ["hello world"]}, service=service)
    (one,) = found["embeddings"]
    rows = np.frombuffer(base64.b64decode(one["data"]), dtype="<f2").reshape(one["shape"])
    assert rows.shape == (2, 128)
    assert (found["model"], found["dim"]) == ("paliapi/lexical-v1", 128)


def test_what_the_job_asks_for_goes_before_what_jobs_usually_get(service: BackgroundService) -> None:
    asked = {"input_type": "text", "inputs": ["hello"], "encoding_format": "float", "include": ["usage"]}
    found = answered(asked, service=service)
    assert len(found["embeddings"][0][0]) == 128
    assert found["usage"] == {"inputs": 1, "vectors": 1}
    assert found["model"]


@pytest.mark.parametrize(("task", "data"), [("query", "hello world"), ("image", encoded(text_image("Invoice")))])
def test_the_shape_of_colivare_is_answered_in_its_own(service: BackgroundService, task: str, data: str) -> None:
    found = answered({"task": task, "input_data": [data, data]}, service=service)
    assert found["object"] == "list"
    assert [(one["object"], one["index"]) for one in found["data"]] == [("embedding", 0), ("embedding", 1)]
    assert len(found["data"][0]["embedding"][0]) == 128
    assert found["usage"]["total_tokens"] == sum(len(one["embedding"]) for one in found["data"])


def test_a_bad_image_is_a_problem_that_names_it(service: BackgroundService) -> None:
    found = answered({"input_type": "image", "inputs": [encoded(text_image()), "!"]}, service=service)
    assert (found["problem"]["status"], found["problem"]["index"]) == (422, 1)


@pytest.mark.parametrize(
    "given",
    [None, [], "text", {}, {"inputs": 1}, {"input_type": "text", "inputs": [1]}, {"include": 3, "input_type": "text"}],
)
def test_nonsense_is_a_problem_too(service: BackgroundService, given: Any) -> None:
    assert answered(given, service=service)["problem"]["status"] in (413, 422)


@pytest.mark.parametrize("given", [{"input_data": ["x"]}, {"task": "query", "input_data": 3}])
def test_nonsense_in_the_shape_of_colivare_fails_the_job(service: BackgroundService, given: Any) -> None:
    assert isinstance(answered(given, service=service)["error"], str)


def test_jobs_come_from_many_event_loops_at_once(service: BackgroundService) -> None:
    async def both() -> list[dict[str, Any]]:
        asked = [{"input_type": "text", "inputs": [word]} for word in ("one", "two", "three")]
        return await asyncio.gather(*(jobs.run(one, service=service) for one in asked))

    assert len({str(one["embeddings"]) for one in asyncio.run(both())}) == 3
    assert len(asyncio.run(both())) == 3
