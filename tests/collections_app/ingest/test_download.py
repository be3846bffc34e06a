"""Documents that are submitted as a URL."""

from dataclasses import replace

from pytest_django import Settings

from collections_app.ingest import worker
from tests.cast import Someone
from tests.collections_app.engine.outbound.web_servers import listening, ok, status
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import end_waits, get_document, latest_revision, process_all, shown_texts

UPSERT = "/v1/documents/upsert-document/"


def test_url_is_fetched_and_its_file_stored(owner: Someone, settings: Settings) -> None:
    content = pdf("from the web")
    page = b"<!DOCTYPE html><title>A web page</title>"
    with listening({"/report": ok(content), "/gone": status(404), "/page": ok(page)}) as server:
        ports = frozenset({server.port})
        settings.ENV = replace(settings.ENV, fetch_allow=("127.0.0.1",), fetch_ports=ports)
        for name in ("report", "gone", "page"):
            owner.post(UPSERT, {"name": name, "url": f"http://127.0.0.1:{server.port}/{name}"})
            process_all()
    assert shown_texts(owner, "report") == ["from the web"]
    assert latest_revision(owner, "report").size == len(content)
    assert get_document(owner, "gone")["error"]["code"] == "fetch_failed"
    assert get_document(owner, "page")["error"]["code"] == "unsupported_type"


def test_server_that_does_not_respond_is_retried_a_limited_number_of_times(owner: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, fetch_allow=("127.0.0.1",), fetch_ports=frozenset({1}))
    owner.post(UPSERT, {"name": "away", "url": "http://127.0.0.1:1/"})
    for _ in range(10):
        assert not worker.run()
        row = latest_revision(owner, "away")
        assert (row.status, row.waiting_for, row.attempts) == ("queued", "fetch_unavailable", 0)
        end_waits()
    worker.run()
    assert get_document(owner, "away")["error"]["code"] == "fetch_unavailable"


def test_url_into_a_private_network_fails(owner: Someone) -> None:
    owner.post(UPSERT, {"name": "inside", "url": "http://127.0.0.1/admin"})
    process_all()
    assert get_document(owner, "inside")["error"]["code"] == "fetch_refused"
