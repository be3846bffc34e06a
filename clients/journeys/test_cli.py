"""The journey of `pali`, as it is installed, against a live stack: PALIAPI_URL and PALIAPI_API_KEY say where it is."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Elsewhere
from paliapi_client import verify_webhook

PALI = str(Path(sys.executable).with_name("pali"))
SUBJECTS = ("lighthouse", "harbour", "tide", "anchor", "lantern", "granite", "keeper", "fog", "bell", "reef")
COLLECTION = "cli-journey"
FILES, BAD = 60, "042.pdf"


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def environ(home: Path) -> dict[str, str]:
    """Log in, so that the commands that follow find the key where `pali login` stored it."""
    variables = {"PATH": os.defpath, "HOME": str(home), "LC_ALL": "C.UTF-8"}
    url, key = os.environ["PALIAPI_URL"], os.environ["PALIAPI_API_KEY"]
    argv = [PALI, "login", "--no-keyring", "--url", url]
    subprocess.run(argv, input=key, text=True, env=variables, check=True, capture_output=True)
    return variables


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of sixty files, one of which is damaged."""
    files = tmp_path_factory.mktemp("files")
    for number in range(FILES):
        subject = SUBJECTS[number % len(SUBJECTS)]
        (files / f"{number:03}.txt").write_text(f"Note {number} about the {subject} at station {number}.\n")
    (files / "042.txt").unlink()
    (files / BAD).write_bytes(b"%PDF-1.4\nthis is not a PDF\n")
    return files


@pytest.fixture(scope="module")
def uploaded(environ: dict[str, str], folder: Path) -> dict[str, Any]:
    """Upload the folder, interrupted once; return what the second run reports."""
    argv = [PALI, "up", str(folder), "-c", COLLECTION, "--metadata", '{"year": 1822}', "--json"]
    interrupted = subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(run(environ, "ls", COLLECTION).out.splitlines()) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    interrupted.send_signal(signal.SIGINT)
    out, err = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, json.loads(out)["interrupted"]) == (130, True), err
    again = run(environ, *argv[1:])
    assert again.code == 1, again.err
    result: dict[str, Any] = again.json
    return result


def run(environ: dict[str, str], *arguments: str) -> Finished:
    done = subprocess.run([PALI, *arguments], env=environ, capture_output=True, text=True, check=False, timeout=300)
    return Finished(done.returncode, done.stdout, done.stderr)


def test_interrupted_upload_is_continued_and_only_the_damaged_file_fails(
    environ: dict[str, str], folder: Path, uploaded: dict[str, Any]
) -> None:
    summary = uploaded["summary"]
    assert (summary["files"], summary["failed"]) == (FILES, 1)
    assert summary["ready"] + summary["unchanged"] == FILES - 1
    assert [one["name"] for one in uploaded["files"] if one["status"] == "failed"] == [BAD]
    documents = run(environ, "ls", COLLECTION, "--json").json["documents"]
    assert len(documents) == FILES
    assert {one["status"] for one in documents if one["name"] != BAD} == {"ready"}
    assert len({one["id"] for one in documents}) == FILES


def test_uploading_again_sends_nothing(environ: dict[str, str], folder: Path, uploaded: dict[str, Any]) -> None:
    (folder / BAD).rename(folder.parent / BAD)
    try:
        again = run(environ, "up", str(folder), "-c", COLLECTION, "--json")
    finally:
        (folder.parent / BAD).rename(folder / BAD)
    assert again.code == 0
    assert again.json["summary"]["unchanged"] == FILES - 1
    assert all(one["sent"] is None for one in again.json["files"])


def test_words_filters_images_and_saved_pages(
    environ: dict[str, str], uploaded: dict[str, Any], tmp_path: Path
) -> None:
    found = run(environ, "search", "granite", "-c", COLLECTION, "-f", "year=1822", "-k", "3", "--json")
    assert "granite" in found.json["results"][0]["text"]
    assert run(environ, "search", "granite", "-c", COLLECTION, "-f", "year=1900", "--json").json["results"] == []
    saved = run(environ, "search", "granite", "-c", COLLECTION, "-k", "1", "--save", str(tmp_path), "--json")
    page = Path(saved.json["results"][0]["saved_as"])
    alike = run(environ, "search", "--image", str(page), "-c", COLLECTION, "-k", "3", "--json")
    assert alike.code == 0, alike.err
    assert alike.json["results"][0]["document_name"] == saved.json["results"][0]["document_name"]


def test_state_of_everything_and_of_one(environ: dict[str, str], uploaded: dict[str, Any]) -> None:
    everything = run(environ, "status", "-c", COLLECTION, "--watch", "--json")
    assert everything.code == 1
    assert [one["document_name"] for one in json.loads(everything.out.splitlines()[-1])["jobs"]] == [BAD]
    assert run(environ, "status", "001.txt", "-c", COLLECTION).out.startswith("001.txt: ready")


def test_key_of_one_collection_sees_no_other(environ: dict[str, str], uploaded: dict[str, Any]) -> None:
    key = run(environ, "keys", "create", "--name", "narrow", "--scope", "read", "-c", COLLECTION, "--expires", "1h")
    narrow = {**environ, "PALIAPI_API_KEY": key.out.strip()}
    assert run(narrow, "ls", "--json").json["collections"][0]["name"] == COLLECTION
    assert run(narrow, "up", __file__, "-c", COLLECTION).code == 3
    key_id = run(narrow, "whoami", "--json").json["account"]["key_id"]
    assert run(environ, "keys", "revoke", str(key_id), "--yes").code == 0
    assert run(narrow, "ls").code == 3


def test_evaluation_measures_the_collection(environ: dict[str, str], uploaded: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "a", "text": "Note 5 about the granite at station 5"}\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\na\t005.txt#1\t1\n")
    files = (str(tmp_path / "queries.jsonl"), str(tmp_path / "qrels.tsv"))
    done = run(environ, "eval", *files, "-c", COLLECTION, "--ranking", "lexical", "--delete", "--json")
    assert done.code == 0, done.err
    assert done.json["run"]["measures"]["lexical"]["recall1"]["mean"] == 1


def test_collection_is_imported_into_another(environ: dict[str, str], uploaded: dict[str, Any]) -> None:
    """The API is ColiVara's, so the server can be its own source; nothing but the failed file is missing."""
    source = {"COLIVARA_BASE_URL": os.environ["PALIAPI_URL"], "COLIVARA_API_KEY": os.environ["PALIAPI_API_KEY"]}
    done = run({**environ, **source}, "import", "colivara", "-c", COLLECTION, "--json")
    summary = done.json["collections"][0]["summary"]
    assert (done.code, summary["unchanged"], summary["failed"]) == (1, FILES - 1, 1)


def test_document_of_a_url_is_announced_by_a_webhook(
    environ: dict[str, str], files: Elsewhere, receiver: Elsewhere, sample: Path
) -> None:
    files.content = sample.read_bytes()
    created = run(environ, "webhooks", "create", f"{receiver.url}/hook", "--event", "document.ready", "--json")
    assert created.code == 0, created.err
    webhook = created.json["webhook"]
    done = run(environ, "up", f"{files.url}/lights.pdf", "-c", COLLECTION, "--json")
    assert [(one["name"], one["status"], one["pages"]) for one in done.json["files"]] == [("lights.pdf", "ready", 3)]
    body, headers = receiver.wait_for(lambda body: b"lights.pdf" in body)
    assert verify_webhook(body, headers, webhook["secret"]) == json.loads(body)
    assert run(environ, "webhooks", "deliveries", str(webhook["id"])).code == 0
    assert run(environ, "webhooks", "delete", str(webhook["id"]), "--yes").code == 0


def test_restart_of_the_server_loses_nothing(
    environ: dict[str, str], restart: Callable[[], None], tmp_path: Path
) -> None:
    for number in range(30):
        (tmp_path / f"{number}.txt").write_text(f"Log {number} of the keeper.\n")
    argv = [PALI, "up", str(tmp_path), "-c", "cli-restart", "--parallel", "2", "--json"]
    upload = subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    restart()
    out, err = upload.communicate(timeout=120)
    assert (upload.returncode, json.loads(out)["summary"]["ready"]) == (0, 30), err
    assert run(environ, "rm", "-c", "cli-restart", "--all", "--yes").code == 0


def test_lines_of_the_documentation_run(environ: dict[str, str]) -> None:
    page = (ROOT / "docs" / "clients.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert blocks
    shell = {**environ, "PATH": f"{Path(PALI).parent}{os.pathsep}{environ['PATH']}"}
    for lines in blocks:
        argv = ["/bin/bash", "-euo", "pipefail", "-c", lines]
        done = subprocess.run(argv, env=shell, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"


def test_everything_is_deleted(environ: dict[str, str], uploaded: dict[str, Any]) -> None:
    assert run(environ, "rm", "001.txt", "missing.txt", "-c", COLLECTION, "--yes").code == 1
    assert run(environ, "rm", "-c", COLLECTION, "--all", "--yes").code == 0
    assert run(environ, "ls", COLLECTION).code == 4
    assert run(environ, "logout").code == 0
    assert run(environ, "ls").code == 3
