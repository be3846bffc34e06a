"""Requests as Dify sends them."""

from typing import Any

from tests.cast import Someone

PATH = "/v1/dify/retrieval"


def body(**fields: Any) -> dict[str, Any]:
    setting = {"top_k": 5, "score_threshold": 0.0}
    return {"retrieval_setting": setting, "query": "tallest lighthouse", "knowledge_id": "sea", **fields}


def records(who: Someone, **fields: Any) -> list[dict[str, Any]]:
    answer = who.post(PATH, body(metadata_condition=None, **fields))
    assert answer.status_code == 200, answer.content
    return list(answer.json()["records"])


def failure(answer: Any) -> tuple[int, int]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["error_msg"] == said["detail"]
    assert said["status"] == answer.status_code
    return answer.status_code, said["error_code"]
