"""A document on its way through the processes that run: web, queue, worker, embeddings service."""

import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from colivara_py import ColiVara  # type: ignore[import-untyped]
from PIL import Image

from paliapi.env import ROOT
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.samples import pdf
from tests.collections_app.ingestion import books_balance, shown_texts
from tests.journeys.conftest import Web

SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
_DEADLINE_S = 30


@pytest.fixture
def worker(owner: Someone, web: Web, tmp_path: Path) -> Iterator[None]:
    """A worker with two children, and the clock of the sweeper."""
    words = ("worker", "--beat", "--schedule", str(tmp_path / "beat"), "--concurrency", "2", "--without-gossip")
    command = [sys.executable, "-m", "celery", "-A", "paliapi.celery", *words, "--without-mingle"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=web.environment, stdout=log, stderr=log) as process,
    ):
        yield
        process.terminate()
        process.wait(timeout=20)
    books_balance(owner)


def test_a_client_that_waits_gets_pages_that_it_can_look_at(
    worker: None, owner: Someone, web: Web, colivara: ColiVara
) -> None:
    made = colivara.upsert_document(
        "lighthouses.pdf", document_base64=base64.b64encode(SAMPLE.read_bytes()).decode(), wait=True
    )
    assert made.num_pages == len(shown_texts(owner, "lighthouses.pdf")) > 0
    found = colivara.get_document("lighthouses.pdf", expand="pages")
    assert [page.page_number for page in found.pages] == list(range(1, made.num_pages + 1))
    assert Image.open(BytesIO(base64.b64decode(found.pages[0].img_base64))).format == "JPEG"


def test_what_nobody_was_nudged_for_is_found(worker: None, owner: Someone, web: Web) -> None:
    put(owner, "quiet.pdf", pdf("found by the sweeper"))  # this process has no queue to nudge by
    until = time.monotonic() + _DEADLINE_S
    address = f"{web.url}/v1/documents/quiet.pdf/"
    while httpx.get(address, headers=owner.headers).json()["status"] != "ready":
        assert time.monotonic() < until
        time.sleep(0.1)  # between two looks, with the deadline above
    assert shown_texts(owner, "quiet.pdf") == ["found by the sweeper"]
