"""Following and rotating log files, and showing their lines."""

import json
from pathlib import Path

import pytest

from paliapi.stack import logs
from paliapi.stack.console import Console
from paliapi.stack.logs import Log, most_relevant_line


def test_new_lines_are_yielded_once_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("from before\n")
    log = Log(path)
    with path.open("a") as file:
        file.write("first\nsec")
        file.flush()
        assert list(log.new_lines()) == ["first"]
        file.write("ond\n")
        file.flush()
    assert list(log.new_lines()) == ["second"]
    assert list(log.new_lines()) == []


def test_large_log_is_rotated_while_its_writer_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 10)
    path = tmp_path / "web.log"
    log = Log(path)
    with path.open("a") as writer:
        writer.write("a line that is long\n")
        writer.flush()
        log.rotate()
        writer.write("new\n")
    assert (tmp_path / "web.log.1").read_text() == "a line that is long\n"
    assert list(log.new_lines()) == ["new"]


def test_invalid_bytes_are_replaced(tmp_path: Path) -> None:
    log = Log(tmp_path / "web.log")
    log.path.write_bytes(b"\xff\xfe\n")
    assert list(log.new_lines()) == ["\ufffd\ufffd"]


def test_most_relevant_line_is_the_error() -> None:
    assert most_relevant_line("one\nFATAL: no space\nshut down\n") == "FATAL: no space"
    assert most_relevant_line("one\ntwo\n") == "two"
    assert most_relevant_line("") == "it printed nothing"


def test_only_notable_lines_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for line in ('{"event": "served", "level": "info"}', "LOG: checkpoint", "FATAL: gone"):
        console.show_line("web", line)
    assert capsys.readouterr().out == "       web | FATAL: gone\n"


def test_structured_line_is_summarized(capsys: pytest.CaptureFixture[str]) -> None:
    line = {
        "event": "not_ready",
        "part": "redis",
        "logger": "paliapi.health",
        "level": "error",
        "timestamp": "2026-01-01T00:00:00Z",
        "exception": "Traceback (most recent call last):\n  File one\nOSError: no space",
    }
    Console().show_line("web", json.dumps(line))
    assert capsys.readouterr().out == "       web | error not_ready part=redis OSError: no space\n"


def test_everything_is_printed_with_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    Console(everything=True).show_line("web", '{"level": "info"}')
    assert capsys.readouterr().out == '       web | {"level": "info"}\n'


def progress(**fields: object) -> str:
    return json.dumps({"event": "progress", "level": "info", **fields})


def test_console_shows_how_much_is_left_to_process_once_for_all_workers(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for _ in range(2):
        console.show_line("worker", progress(documents_left=2400, pages_left=4800, pages_per_s=11.3, seconds_left=425))
    assert capsys.readouterr().out.count("\n") == 1
    for _ in range(2):
        console.show_line("worker", progress(documents_left=0, pages_left=0, pages_per_s=11.3, seconds_left=0))
    assert capsys.readouterr().out.endswith("] All documents are processed.\n")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"documents_left": 2400, "pages_left": 4800, "pages_per_s": 11.3, "seconds_left": 425},
            "2,400 documents left to process, 4,800 pages; 11.3 pages per second, about 7 min.",
        ),
        (
            {"documents_left": 3, "pages_left": 20, "pages_per_s": 2.0, "seconds_left": 10},
            "3 documents left to process, 20 pages; 2 pages per second, about 10 s.",
        ),
        (
            {"documents_left": 3, "pages_left": 3, "pages_per_s": None, "seconds_left": None},
            "3 documents left to process, 3 pages.",
        ),
    ],
)
def test_console_describes_progress(fields: dict[str, object], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Console().show_line("worker", progress(**fields))
    assert capsys.readouterr().out.endswith(f"] {text}\n")
