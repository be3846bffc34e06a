"""What all commands have in common: errors, exit codes, `--json`, and what reaches a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import KEY, Run, run
from cli.pseudo_terminal import Terminal, environ
from cli.remote_server import Answer, RemoteServer, problem

PALI = [sys.executable, "-c", "from paliapi_client.cli.main import run; run()"]


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (401, "unauthenticated", 3),
        (403, "forbidden", 3),
        (404, "not_found", 4),
        (422, "invalid", 7),
        (409, "conflict", 7),
        (500, "internal_error", 6),
    ],
)
def test_exit_code_and_json_name_the_error(
    pali: Run, server: RemoteServer, status: int, code: str, exit_code: int
) -> None:
    server.overrides["listCollections"] = lambda _request: problem(status, code, "It is wrong.")
    failed = pali("ls", "--json")
    assert failed.code == exit_code
    error = failed.json["error"]
    assert (error["status"], error["code"], error["detail"]) == (status, code, "It is wrong.")
    assert error["request_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert failed.err.startswith("Error: It is wrong.")


def test_server_that_is_not_there_has_an_exit_code_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALIAPI_API_KEY", KEY)
    failed = run("whoami", "--url", "http://127.0.0.1:1", "--json")
    assert (failed.code, failed.json["error"]["code"]) == (6, "connection_failed")


def test_answer_of_another_program_is_explained(pali: Run, server: RemoteServer) -> None:
    server.overrides["listCollections"] = lambda _request: Answer(200, b"<html>", {"Content-Type": "text/html"})
    failed = pali("ls")
    assert failed.code == 6
    assert "Traceback" not in failed.err


@pytest.mark.parametrize("metadata", ['{"a": NaN}', '{"a": ' + "[" * 400 + "]" * 400 + "}", '{"a": "\\ud800"}'])
def test_values_that_are_no_json_are_never_written(pali: Run, server: RemoteServer, metadata: str) -> None:
    collection = json.dumps({**server.example("getCollection"), "metadata": 0}).replace(": 0", f": {metadata}")
    json_type = {"Content-Type": "application/json"}
    server.overrides["listCollections"] = lambda _request: Answer(200, f"[{collection}]".encode(), json_type)
    listed = pali("ls", "--json")
    assert next(iter(listed.json)) in {"collections", "error"}
    assert "NaN" not in listed.out


def test_usage_errors_have_exit_code_2(pali: Run) -> None:
    assert pali("up").code == 2
    assert pali("search", "--top", "0", "x").code == 2
    assert pali("nonsense").code == 2
    assert pali("rm").code == 2


def test_without_a_key_the_way_to_get_one_is_named(home: Path) -> None:
    failed = run("ls")
    assert failed.code == 3
    assert "pali login" in failed.err


def test_json_alone_is_on_stdout(pali: Run) -> None:
    done = pali("ls", "--json")
    assert list(done.json) == ["collections"]
    assert done.err == ""
    assert "\x1b" not in done.out


def test_names_reach_a_terminal_without_control_characters(server: RemoteServer, tmp_path: Path) -> None:
    hostile = "a\x1b]0;owned\x07\x1b[2Jb\u202ec\x9b31m"
    example = {"name": hostile, "id": 1, "metadata": {hostile: hostile}, "num_documents": 1, "vector_storage": "full"}
    times = {"created_at": "2026-11-21T09:30:00Z", "updated_at": "2026-11-21T09:30:00Z"}
    server.overrides["listCollections"] = lambda _request: Answer(200, [{**example, **times}])
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    code, shown = Terminal(columns=200).run([*PALI, "ls"], variables)
    assert code == 0
    assert b"Documents" in shown
    assert b"owned" in shown
    for sequence in (b"\x1b]", b"\x1b[2J", "\u202e".encode(), "\x9b".encode(), b"\x07"):
        assert sequence not in shown


def test_json_reaches_a_terminal_without_control_characters(pali: Run, server: RemoteServer) -> None:
    hostile = "a\x1b]0;owned\x07"
    server.overrides["listCollections"] = lambda _request: Answer(
        200, [{**server.example("getCollection"), "name": hostile}]
    )
    listed = pali("ls", "--json")
    assert "\x1b" not in listed.out
    assert listed.json["collections"][0]["name"] == hostile


def test_errors_of_the_server_reach_a_terminal_without_control_characters(server: RemoteServer, tmp_path: Path) -> None:
    server.overrides["listCollections"] = lambda _request: problem(422, "invalid", "no\x1b]0;owned\x07")
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    code, shown = Terminal().run([*PALI, "ls"], variables)
    assert code == 7
    assert b"\x1b]" not in shown


def test_without_a_terminal_there_are_no_colours(server: RemoteServer, tmp_path: Path) -> None:
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    done = subprocess.run([*PALI, "ls"], env=variables, capture_output=True, check=True)
    assert done.stdout.count(b"\t") == 3
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_switched_off(server: RemoteServer, tmp_path: Path, variables: dict[str, str]) -> None:
    shared = {"PALIAPI_URL": server.url, "PALIAPI_API_KEY": KEY, "HOME": str(tmp_path)}
    _, shown = Terminal().run([*PALI, "ls", "reports"], environ(**shared, **variables))
    assert b"\x1b[3" not in shown


def test_reader_that_has_enough_is_no_error(server: RemoteServer, tmp_path: Path) -> None:
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PALI, "ls", "--json"], env=variables, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_version_and_completion_need_no_server(home: Path) -> None:
    assert run("--version").out.startswith("pali ")
    assert run("--help").code == 0


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("bash", {"COMP_WORDS": "pali sea", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "pali sea"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "pali sea", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_complete_commands(tmp_path: Path, shell: str, variables: dict[str, str]) -> None:
    def pali(action: str, **extra: str) -> str:
        environment = environ(HOME=str(tmp_path), _PALI_COMPLETE=f"{action}_{shell}", **extra)
        return subprocess.run(PALI, env=environment, capture_output=True, text=True, check=False).stdout

    assert "_PALI_COMPLETE" in pali("source")
    completed = pali("complete", **variables)
    assert "search" in completed
    assert "webhooks" not in completed


def test_missing_extra_is_explained(tmp_path: Path) -> None:
    code = "import sys; sys.modules['rich'] = None; from paliapi_client.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ(HOME=str(tmp_path)), capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith(b'pip install "paliapi-client[cli]"')
