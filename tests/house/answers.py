"""Checks that every response must pass."""

from typing import Any

_MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}
_FOR_DIFY = {"error_code", "error_msg"}


def problem(answer: Any) -> dict[str, Any]:
    """Check that a response is well-formed problem+json, and return its body."""
    assert answer["Content-Type"] == "application/problem+json", answer.content[:200]
    body: dict[str, Any] = answer.json()
    assert set(body) in (_MEMBERS, _MEMBERS | _FOR_DIFY)
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer["X-Request-ID"]
    assert all(isinstance(body[name], str) for name in ("type", "title", "detail", "code"))
    assert body["detail"]
    assert body["type"].endswith(f"#{body['code']}")
    for place in body["errors"]:
        assert set(place) == {"pointer", "code", "detail"}
    return body


def in_order(answer: Any) -> int:
    """Check a response, which may be a failure, and return its status."""
    if answer.status_code >= 400:
        problem(answer)
        assert answer.status_code < 500, answer.content
    if answer.streaming:
        list(answer.streaming_content)
    return int(answer.status_code)
