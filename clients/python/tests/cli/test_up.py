"""`pali up`: what is sent, skipped, repeated and reported."""

import hashlib
import signal
from pathlib import Path

import pytest

from cli.conftest import KEY, Run
from cli.pseudo_terminal import Terminal, environ
from cli.remote_server import Answer, Received, RemoteServer, problem
from cli.test_session import PALI


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "docs"
    (files / "sub").mkdir(parents=True)
    for number in range(12):
        (files / "sub" / f"{number:02}.txt").write_text(f"content {number}")
    return files


def sent(server: RemoteServer) -> list[str]:
    return sorted(one.form["name"].decode() for one in server.calls("upsertDocument"))


def test_folder_is_uploaded_and_reported(pali: Run, server: RemoteServer, folder: Path) -> None:
    done = pali("up", folder, "-c", "reports", "--metadata", '{"year": 2026}', "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["summary"] == {
        "files": 12,
        "ready": 12,
        "unchanged": 0,
        "failed": 0,
        "processing": 0,
        "not_started": 0,
        "planned": 0,
    }
    assert done.json["files"][0] == {
        "name": "sub/00.txt",
        "source": str(folder / "sub" / "00.txt"),
        "status": "ready",
        "sent": "upload",
        "pages": 1,
        "skipped_pages": [],
        "error": None,
    }
    stored = server.documents["reports", "sub/00.txt"]
    assert (stored["metadata"], stored["sha256"]) == ({"year": 2026}, hashlib.sha256(b"content 0").hexdigest())


def test_unchanged_files_are_not_sent_again(pali: Run, server: RemoteServer, folder: Path) -> None:
    pali("up", folder)
    (folder / "sub" / "03.txt").write_text("changed")
    server.received.clear()
    again = pali("up", folder, "--json")
    assert sent(server) == ["sub/03.txt"]
    assert (again.json["summary"]["unchanged"], again.json["summary"]["ready"]) == (11, 1)
    server.received.clear()
    pali("up", folder / "sub" / "03.txt", "--again", "--name", "sub/03.txt")
    assert sent(server) == ["sub/03.txt"]


def test_new_metadata_of_an_unchanged_file_is_sent_alone(pali: Run, server: RemoteServer, folder: Path) -> None:
    pali("up", folder / "sub" / "00.txt")
    done = pali("up", folder / "sub" / "00.txt", "--metadata", '{"a": 1}', "--json")
    assert [(one["status"], one["sent"]) for one in done.json["files"]] == [("unchanged", "metadata")]
    assert server.documents["default_collection", "00.txt"]["metadata"] == {"a": 1}
    pali("up", folder / "sub" / "00.txt")
    assert server.documents["default_collection", "00.txt"]["metadata"] == {"a": 1}


def test_failures_are_listed_and_decide_the_exit_code(pali: Run, server: RemoteServer, folder: Path) -> None:
    server.bad.add("sub/05.txt")
    done = pali("up", folder)
    assert done.code == 1
    assert "12 files: 11 ready, 1 failed" in done.out
    assert "sub/05.txt\tfile_damaged\tThe file is damaged" in done.err
    server.bad.clear()
    repaired = pali("up", folder, "--json")
    assert repaired.code == 0
    assert (repaired.json["summary"]["ready"], repaired.json["summary"]["unchanged"]) == (1, 11)


def test_refused_files_do_not_keep_the_others(pali: Run, server: RemoteServer, folder: Path) -> None:
    upsert = server.overrides["upsertDocument"]

    def refuse(request: Received) -> Answer:
        if request.form["name"] == b"sub/07.txt":
            return problem(422, "file_empty", "The file is empty.")
        return upsert(request)

    server.overrides["upsertDocument"] = refuse
    done = pali("up", folder, "--json")
    assert done.code == 1
    assert [one["error"]["code"] for one in done.json["files"] if one["error"]] == ["file_empty"]
    assert done.json["summary"]["ready"] == 11


def test_limits_and_outages_delay_and_do_not_fail(pali: Run, server: RemoteServer, folder: Path) -> None:
    upsert = server.overrides["upsertDocument"]
    answers = [
        problem(429, "queue_full", "Full.", Retry_After="0"),
        problem(503, "no_room", "Full.", Retry_After="0"),
        Answer(502, b"<html>"),
        problem(429, "account_busy", "Busy.", Retry_After="0"),
    ] * 4

    def busy(request: Received) -> Answer:
        return answers.pop() if answers else upsert(request)

    server.overrides["upsertDocument"] = busy
    done = pali("up", folder, "--json")
    assert done.code == 0
    assert done.json["summary"]["ready"] == 12


def test_key_that_cannot_read_sends_everything(pali: Run, server: RemoteServer, folder: Path) -> None:
    server.overrides["listDocuments"] = lambda _request: problem(403, "forbidden", "This key does not permit that.")
    done = pali("up", folder, "--json")
    assert done.code == 0
    assert (done.json["summary"]["processing"], len(sent(server))) == (12, 12)
    assert server.calls("listJobs") == []


def test_rejected_key_ends_the_upload_at_once(pali: Run, server: RemoteServer, folder: Path) -> None:
    server.overrides["upsertDocument"] = lambda _request: problem(403, "forbidden", "This key does not permit that.")
    done = pali("up", folder, "--parallel", "2", "--json")
    assert done.code == 3
    assert len(server.calls("upsertDocument")) <= 4


def test_reached_quota_fails_the_files_it_concerns(pali: Run, server: RemoteServer, folder: Path) -> None:
    server.overrides["upsertDocument"] = lambda _request: problem(429, "quota_exceeded", "The quota is reached.")
    done = pali("up", folder / "sub" / "00.txt", "--json")
    assert done.code == 1
    assert done.json["files"][0]["error"]["code"] == "quota_exceeded"


def test_dry_run_sends_nothing(pali: Run, server: RemoteServer, folder: Path) -> None:
    done = pali("up", folder, "--dry-run", "--json")
    assert done.code == 0
    assert done.json["summary"]["planned"] == 12
    assert sent(server) == []


def test_without_waiting_nothing_is_followed(pali: Run, server: RemoteServer, folder: Path) -> None:
    done = pali("up", folder, "--no-wait", "--json")
    assert done.json["summary"]["processing"] == 12
    assert server.calls("listJobs") == []


def test_urls_are_left_to_the_server(pali: Run, server: RemoteServer) -> None:
    pali("up", "https://example.com/a.pdf", "-c", "reports")
    body = server.calls("upsertDocument")[0].json
    assert (body["name"], body["url"], body["collection_name"]) == ("a.pdf", "https://example.com/a.pdf", "reports")


@pytest.mark.parametrize("metadata", ["[]", "{", "1", "[" * 100_000])
def test_metadata_must_be_an_object(pali: Run, server: RemoteServer, folder: Path, metadata: str) -> None:
    assert pali("up", folder, "--metadata", metadata).code == 2
    assert server.received == []


def test_interrupted_upload_reports_and_is_continued(pali: Run, server: RemoteServer, folder: Path, home: Path) -> None:
    # The jobs never end, so the command waits for them until it is interrupted.
    documents = server.documents
    list_jobs = server.overrides["listJobs"]

    def endless(request: Received) -> Answer:
        for one in documents.values():
            one["status"] = "embedding"
        return list_jobs(request)

    server.overrides["listJobs"] = endless
    terminal = Terminal(typed={b"Processing": signal.SIGINT})
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(home))
    code, shown = terminal.run([*PALI, "up", str(folder)], variables)
    assert code == 130
    assert b"Run the same command again to continue" in shown
    assert b"12 being processed" in shown
    assert b"Traceback" not in shown

    server.overrides["listJobs"] = list_jobs
    for one in documents.values():
        one["status"] = "ready"
    server.received.clear()
    assert pali("up", folder, "--json").json["summary"]["unchanged"] == 12
    assert sent(server) == []


def test_terminal_shows_a_bar_for_each_stage(server: RemoteServer, folder: Path, tmp_path: Path) -> None:
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    code, shown = Terminal(columns=100).run([*PALI, "up", str(folder)], variables)
    assert code == 0
    for stage in (b"Checking", b"Uploading", b"Processing"):
        assert stage in shown
    assert b"12 files: 12 ready" in shown
