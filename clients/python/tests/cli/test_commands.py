"""Commands that list and change what the server has."""

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from cli.conftest import Run
from cli.remote_server import Answer, Received, RemoteServer, problem


@pytest.fixture
def documents(pali: Run, tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / name).write_text(name)
        assert pali("up", tmp_path / name, "-c", "reports").code == 0


def test_collections_and_documents_are_listed(pali: Run, documents: None) -> None:
    assert pali("ls").out.split("\t")[0] == "reports"
    rows = [line.split("\t") for line in pali("ls", "reports").out.splitlines()]
    assert [row[:3] for row in rows] == [["a.pdf", "ready", "1"], ["b.pdf", "ready", "1"]]
    listed = pali("ls", "reports", "--json").json
    assert [one["name"] for one in listed["documents"]] == ["a.pdf", "b.pdf"]
    assert {"sha256", "status", "num_pages", "metadata"} <= set(listed["documents"][0])
    assert pali("ls", "reports", "--status", "failed").out == ""


def test_unknown_collection_is_not_an_empty_list(pali: Run, server: RemoteServer) -> None:
    server.overrides["getCollection"] = lambda _request: problem(404, "collection_not_found", "Collection not found.")
    assert pali("ls", "nothing").code == 4


def test_documents_are_deleted_after_confirmation(pali: Run, documents: None, server: RemoteServer) -> None:
    refused = pali("rm", "a.pdf", "-c", "reports")
    assert (refused.code, len(server.documents)) == (2, 2)
    assert "--yes" in refused.err
    assert pali("rm", "a.pdf", "-c", "reports", "--yes").code == 0
    assert list(server.documents) == [("reports", "b.pdf")]


def test_missing_ones_among_several_do_not_keep_the_others(pali: Run, documents: None, server: RemoteServer) -> None:
    part = pali("rm", "missing", "b.pdf", "-c", "reports", "-y", "--json")
    assert part.code == 1
    assert [(one["name"], one["deleted"]) for one in part.json["documents"]] == [("missing", False), ("b.pdf", True)]
    assert pali("rm", "missing", "-c", "reports", "-y").code == 4


def test_collection_is_deleted_only_as_a_whole_and_on_request(pali: Run, server: RemoteServer) -> None:
    assert pali("rm", "-c", "reports", "--yes").code == 2
    assert pali("rm", "x", "-c", "reports", "--all", "--yes").code == 2
    assert server.calls("deleteCollection") == []
    assert pali("rm", "-c", "reports", "--all", "--yes").code == 0
    assert server.calls("deleteCollection")[0].path == {"collection_name": "reports"}


def test_keys_are_created_listed_rotated_and_revoked(pali: Run, server: RemoteServer) -> None:
    created = pali("keys", "create", "--name", "web", "--scope", "search", "-c", "reports", "--expires", "30d")
    body = server.calls("createKey")[0].json
    assert created.out.strip().startswith("pali_")
    assert (body["scopes"], body["collections"]) == (["search"], ["reports"])
    assert body["expires_at"].startswith("2")
    assert pali("keys", "list", "--json").json["keys"][0]["key_hint"]
    assert pali("keys", "rotate", "7", "--overlap-hours", "1").out.strip().startswith("pali_")
    assert pali("keys", "revoke", "7").code == 2
    assert pali("keys", "revoke", "7", "--yes", "--descendants").code == 0
    assert server.calls("revokeKey")[0].query == {"with": "descendants"}


@pytest.mark.parametrize("expires", ["2030-01-31T12:00:00Z", "2030-01-31T13:00+01:00"])
def test_expiry_may_be_a_time(pali: Run, server: RemoteServer, expires: str) -> None:
    assert pali("keys", "create", "--expires", expires).code == 0
    moment = datetime.fromisoformat(server.calls("createKey")[0].json["expires_at"])
    assert moment == datetime(2030, 1, 31, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize("expires", ["soon", "30", "0x1d", "-1d"])
def test_expiry_must_be_understood(pali: Run, server: RemoteServer, expires: str) -> None:
    assert pali("keys", "create", f"--expires={expires}").code == 2
    assert server.received == []


def test_webhooks_are_managed(pali: Run, server: RemoteServer) -> None:
    created = pali("webhooks", "create", "https://example.com/hooks", "--event", "document.ready")
    assert created.out.strip().startswith("whsec_")
    assert server.calls("createWebhook")[0].json["events"] == ["document.ready"]
    assert pali("webhooks", "list").out.count("\n") == 1
    assert pali("webhooks", "disable", "5").code == 0
    assert server.calls("updateWebhook")[0].json == {"enabled": False}
    assert pali("webhooks", "test", "5", "--json").json["delivery"]["id"] == 71
    assert pali("webhooks", "deliveries", "5", "--status", "failed").code == 0
    assert pali("webhooks", "replay", "5", "71").code == 0
    assert pali("webhooks", "rotate-secret", "5").out.strip().startswith("whsec_")
    assert pali("webhooks", "delete", "5", "--yes").code == 0


def test_status_reports_failures_by_its_exit_code(pali: Run, server: RemoteServer, tmp_path: Path) -> None:
    (tmp_path / "bad.pdf").write_text("x")
    server.bad.add("bad.pdf")
    pali("up", tmp_path / "bad.pdf")
    everything = pali("status", "--json")
    assert everything.code == 1
    assert [one["status"] for one in everything.json["jobs"]] == ["failed"]
    one = pali("status", "bad.pdf")
    assert one.code == 1
    assert "The file is damaged" in one.out
    assert pali("status", "missing.pdf").code == 4


def test_watching_a_document_writes_a_line_for_each_change(pali: Run, server: RemoteServer, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    pali("up", tmp_path / "a.pdf")
    document = server.documents["default_collection", "a.pdf"]
    states = [{"status": "rendering"}, {"status": "rendering"}, {"status": "ready"}]
    get = server.overrides["getDocument"]

    def changing(request: Received) -> Answer:
        document.update(states.pop(0))
        return get(request)

    server.overrides["getDocument"] = changing
    watched = pali("status", "a.pdf", "--watch", "--json")
    assert watched.code == 0
    lines = [json.loads(line) for line in watched.out.splitlines()]
    assert [one["document"]["status"] for one in lines] == ["rendering", "ready"]
