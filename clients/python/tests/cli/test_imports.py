"""`pali import`: from a folder, from ColiVara or another PaliAPI, and from S3."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from cli import remote_server
from cli.conftest import Run
from cli.remote_server import Answer, RemoteServer, problem
from paliapi_client.cli.imports.seen import SeenVersions


def sent(server: RemoteServer) -> list[tuple[str, str, bytes]]:
    forms = [one.form for one in server.calls("upsertDocument")]
    return sorted((one["collection_name"].decode(), one["name"].decode(), one["file"]) for one in forms)


def test_folders_become_collections_with_metadata(pali: Run, server: RemoteServer, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    for name in ("reports/2025/a.pdf", "letters/b.txt", "top.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "letters" / "b.txt.metadata.json").write_text('{"year": 1822}')
    done = pali("import", root, "--json")
    assert done.code == 0
    assert [(one["collection_name"], one["summary"]["ready"]) for one in done.json["collections"]] == [
        ("archive", 1),
        ("letters", 1),
        ("reports", 1),
    ]
    assert [(collection, name) for collection, name, _ in sent(server)] == [
        ("archive", "top.txt"),
        ("letters", "b.txt"),
        ("reports", "2025/a.pdf"),
    ]
    assert server.documents["letters", "b.txt"]["metadata"] == {"year": 1822}
    server.received.clear()
    assert pali("import", root).code == 0
    assert sent(server) == []


@pytest.mark.parametrize("content", ["[]", "{", "[" * 100_000])
def test_wrong_metadata_is_named_before_anything_is_sent(
    pali: Run, server: RemoteServer, tmp_path: Path, content: str
) -> None:
    (tmp_path / "a.pdf").write_text("x")
    (tmp_path / "a.pdf.metadata.json").write_text(content)
    wrong = pali("import", tmp_path)
    assert wrong.code == 2
    assert "a.pdf.metadata.json" in wrong.err
    assert sent(server) == []


@pytest.mark.parametrize("source", ["nothing", "s3:///", "ftp://x"])
def test_unknown_sources_are_explained(pali: Run, source: str) -> None:
    assert pali("import", source).code in {2, 4}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteServer]:
    """An account with two documents of one collection, whose files are at another address."""
    with remote_server.running() as other, remote_server.running() as files:
        monkeypatch.setenv("COLIVARA_API_KEY", "their-key")
        monkeypatch.setenv("COLIVARA_BASE_URL", f"{other.url}/v1")
        files.overrides["getFile"] = lambda request: Answer(200, f"content of {request.path['token']}".encode())
        for name in ("a b/ü.pdf", "second"):
            token = "one" if name == "second" else "two"
            document = {"id": 1, "name": name, "metadata": {"old": True}, "num_pages": 3, "collection_name": "their s"}
            other.documents["their s", name] = {**document, "url": f"{files.url}/v1/files/{token}?signature=1"}
        collection = {"id": 1, "name": "their s", "metadata": {"team": "coast"}, "num_documents": 2}
        other.overrides["listCollections"] = lambda _request: Answer(200, [collection])
        other.files = files
        yield other


def files_of(account: RemoteServer) -> RemoteServer:
    assert account.files
    return account.files


def test_account_is_imported_with_metadata_and_files(pali: Run, server: RemoteServer, account: RemoteServer) -> None:
    done = pali("import", "colivara", "--json")
    assert done.code == 0, done.err
    assert sent(server) == [("their s", "a b/ü.pdf", b"content of two"), ("their s", "second", b"content of one")]
    assert server.documents["their s", "second"]["metadata"] == {"old": True}
    assert server.calls("createCollection")[0].json["metadata"] == {"team": "coast"}


def test_key_of_the_account_goes_to_its_server_alone(pali: Run, server: RemoteServer, account: RemoteServer) -> None:
    pali("import", "colivara")
    assert {one.headers["authorization"] for one in account.received} == {"Bearer their-key"}
    assert all("authorization" not in one.headers for one in files_of(account).received)
    assert all("their-key" not in one.headers["authorization"] for one in server.received)


def test_repeated_import_downloads_nothing(pali: Run, server: RemoteServer, account: RemoteServer) -> None:
    pali("import", "colivara")
    files_of(account).received.clear()
    server.received.clear()
    again = pali("import", "colivara", "--json")
    assert again.json["collections"][0]["summary"]["unchanged"] == 2
    assert (sent(server), files_of(account).received) == ([], [])


def test_documents_without_a_file_fail_alone(pali: Run, server: RemoteServer, account: RemoteServer) -> None:
    account.documents["their s", "second"]["url"] = "file:///etc/passwd"
    done = pali("import", "colivara", "--json")
    assert done.code == 1
    errors = [one["error"] and one["error"]["code"] for one in done.json["collections"][0]["files"]]
    assert sorted(errors, key=str) == [None, "file_unavailable"]
    assert len(sent(server)) == 1


@pytest.mark.parametrize(
    ("answer", "exit_code"),
    [
        (problem(401, "unauthenticated", "Unknown key."), 3),
        (problem(500, "x", "x"), 6),
        (Answer(200, b"<html>"), 6),
        (Answer(200, {"detail": "x"}), 6),
        (Answer(302, None, {"Location": "http://example.com/"}), 6),
    ],
)
def test_wrong_answers_of_the_account_are_explained(
    pali: Run, account: RemoteServer, answer: Answer, exit_code: int
) -> None:
    account.overrides["listCollections"] = lambda _request: answer
    assert pali("import", "colivara").code == exit_code


def test_only_named_collections_are_imported(pali: Run, server: RemoteServer, account: RemoteServer) -> None:
    assert pali("import", "colivara", "-c", "another").code == 4
    assert server.received == []


def etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as a list and a download need."""

    objects: dict[str, bytes] = {}
    downloads: list[str] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if "list-type" in query:
            prefix = query.get("prefix", [""])[0]
            rows = "".join(
                f"<Contents><Key>{escape(key)}</Key><ETag>&quot;{etag(content)}&quot;</ETag>"
                f"<Size>{len(content)}</Size></Contents>"
                for key, content in sorted(self.objects.items())
                if key.startswith(prefix)
            )
            self._send(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode())
            return
        key = unquote(parts.path).removeprefix("/bucket/")
        self.downloads.append(key)
        self._send(200, self.objects[key])

    def do_HEAD(self) -> None:
        key = unquote(urlsplit(self.path).path).removeprefix("/bucket/")
        self._send(200, self.objects[key])

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{etag(content)}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[type[Bucket]]:
    class Own(Bucket):
        objects: dict[str, bytes] = {}
        downloads: list[str] = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    yield Own
    server.shutdown()
    server.server_close()


def test_objects_below_a_prefix_are_imported_once(pali: Run, server: RemoteServer, bucket: type[Bucket]) -> None:
    bucket.objects.update(
        {"2025/a.pdf": b"a", "2025/sub/b.pdf": b"b", "2025/": b"", "other/c.pdf": b"c", "2025x": b"x"}
    )
    done = pali("import", "s3://bucket/2025/", "-c", "reports", "--exclude", "*.tmp", "--json")
    assert done.code == 0, done.err
    assert sent(server) == [("reports", "a.pdf", b"a"), ("reports", "sub/b.pdf", b"b")]
    bucket.objects["2025/a.pdf"] = b"changed"
    bucket.downloads.clear()
    server.received.clear()
    assert pali("import", "s3://bucket/2025/", "-c", "reports").code == 0
    assert sent(server) == [("reports", "a.pdf", b"changed")]
    assert bucket.downloads == ["2025/a.pdf"]


def test_collection_has_the_name_of_the_bucket_by_default(
    pali: Run, server: RemoteServer, bucket: type[Bucket]
) -> None:
    bucket.objects["a.pdf"] = b"a"
    assert pali("import", "s3://bucket").code == 0
    assert sent(server) == [("bucket", "a.pdf", b"a")]
    assert pali("import", "s3://bucket/nothing").code == 4


def test_damaged_memory_of_versions_is_no_error(tmp_path: Path) -> None:
    seen = SeenVersions(tmp_path / "state" / "seen.sqlite3")
    seen.remember("a", "1", "hash")
    assert (seen.sha256("a", "1"), seen.sha256("a", "2")) == ("hash", None)
    (tmp_path / "state" / "seen.sqlite3").write_bytes(b"x" * 10_000)
    assert seen.sha256("a", "1") is None
    seen.remember("a", "1", "hash")
    assert SeenVersions(Path("/proc/nothing/x")).sha256("a", "1") is None
