"""Structured logs without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.log_capture import log_written

KEY = "pali_4fJ0QmXz81Lc_EXAMPLEexampleEXAMPLEexample0000009aTz"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Capture the log in the format of production."""
    with log_written(level="INFO", form="json") as stream:
        yield stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        f"Bearer {KEY}",
        "Authorization: Bearer abcdefgh12345678",
        "token abcdefgh12345678",
        "postgresql://paliapi:hunter2hunter2@db/paliapi",
        "redis://:hunter2hunter2@cache/0",
    ],
)
def test_secret_in_any_text_is_redacted(written: io.StringIO, secret: str) -> None:
    structlog.get_logger("ours").info("about " + secret, told=secret, nested={"deep": [secret]})
    logging.getLogger("library").warning("about %s", secret)
    text = written.getvalue()
    assert len(lines(written)) == 2
    for telling in ("9aTz", "abcdefgh", "hunter2"):
        assert telling not in text
    assert "[secret]" in text


@pytest.mark.parametrize(
    "name", ["password", "SECRET_KEY", "Authorization", "csrf_token", "api_key", "Cookie", "pepper"]
)
def test_field_with_a_secret_name_is_redacted_whatever_its_value(written: io.StringIO, name: str) -> None:
    structlog.get_logger("ours").info("event", **{name: "plain words"}, nested={name: "plain words"})
    (line,) = lines(written)
    assert line[name] == "[secret]"
    assert line["nested"][name] == "[secret]"


def test_secret_in_a_traceback_is_redacted(written: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot use {KEY}")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    (line,) = lines(written)
    assert "ValueError: cannot use [secret]" in line["exception"]


def test_text_of_an_object_is_redacted(written: io.StringIO) -> None:
    structlog.get_logger("ours").info("event", what=ValueError(KEY))
    (line,) = lines(written)
    assert line["what"] == "[secret]"


def test_line_has_bound_context_and_logger(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="0af76519"):
        structlog.get_logger("paliapi.somewhere").info("event")
        logging.getLogger("library").error("also")
    ours, theirs = lines(written)
    assert (ours["request_id"], ours["logger"], ours["level"]) == ("0af76519", "paliapi.somewhere", "info")
    assert (theirs["request_id"], theirs["logger"], theirs["level"]) == ("0af76519", "library", "error")


def test_event_below_the_level_is_not_logged(written: io.StringIO) -> None:
    structlog.get_logger("ours").debug("quiet")
    logging.getLogger("library").debug("quiet")
    assert written.getvalue() == ""


def test_console_format_is_readable() -> None:
    with log_written(level="INFO", form="console") as stream:
        structlog.get_logger("ours").info("event", key=KEY)
    assert "event" in stream.getvalue()
    assert "9aTz" not in stream.getvalue()


def test_successful_outgoing_requests_are_not_logged(written: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET http://embeddings:8000/ready")
    logging.getLogger("httpx").warning("something is odd")
    assert [line["event"] for line in lines(written)] == ["something is odd"]
