"""Ingestion through running processes: web server, queue, worker, embeddings service."""

import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from colivara_py import ColiVara  # type: ignore[import-untyped]
from PIL import Image

from paliapi.env import ROOT
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import assert_consistent, shown_texts
from tests.journeys.conftest import Web

SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
_DEADLINE_S = 30


@pytest.fixture
def worker(owner: Someone, web: Web, tmp_path: Path) -> Iterator[None]:
    with working(web, tmp_path):
        yield
    assert_consistent(owner)


@contextmanager
def working(web: Web, tmp_path: Path, *, children: int = 2, **changes: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker and the sweeper."""
    words = ("worker", "--beat", "--schedule", str(tmp_path / "beat"), f"--concurrency={children}", "--without-gossip")
    command = [sys.executable, "-m", "celery", "-A", "paliapi.celery", *words, "--without-mingle"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=ROOT, env={**web.environment, "PALIAPI_PART": "worker", **changes}, stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield process
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop a process; fail if it does not end, without delaying other tests.

    Celery waits up to ten seconds for the result of a task whose process was killed.
    """
    process.terminate()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def test_waiting_client_gets_a_document_with_page_images(
    worker: None, owner: Someone, web: Web, colivara: ColiVara
) -> None:
    created = colivara.upsert_document(
        "lighthouses.pdf", document_base64=base64.b64encode(SAMPLE.read_bytes()).decode(), wait=True
    )
    assert created.num_pages == len(shown_texts(owner, "lighthouses.pdf")) > 0
    results = colivara.get_document("lighthouses.pdf", expand="pages")
    assert [page.page_number for page in results.pages] == list(range(1, created.num_pages + 1))
    assert Image.open(BytesIO(base64.b64decode(results.pages[0].img_base64))).format == "JPEG"


def test_sweeper_finds_work_without_a_nudge(worker: None, owner: Someone, web: Web) -> None:
    put(owner, "quiet.pdf", pdf("found by the sweeper"))  # this process has no queue, so it sends no nudge
    until_ready(owner, web, "quiet.pdf")
    assert shown_texts(owner, "quiet.pdf") == ["found by the sweeper"]


def test_killed_worker_children_lose_no_page(owner: Someone, web: Web, colivara: ColiVara, tmp_path: Path) -> None:
    texts = [f"page {number}" for number in range(1, 10)]
    content = base64.b64encode(pdf(*texts, size=(72, 72))).decode()
    # Every child is killed after it stored its first pages, twice in total.
    with working(web, tmp_path, PALIAPI_FAILPOINT="pages_stored=kill"):
        colivara.upsert_document("hard.pdf", document_base64=content)
        until_ready(owner, web, "hard.pdf")
    assert shown_texts(owner, "hard.pdf") == texts
    assert_consistent(owner)


def until_ready(owner: Someone, web: Web, name: str) -> None:
    until = time.monotonic() + _DEADLINE_S
    while httpx.get(f"{web.url}/v1/documents/{name}/", headers=owner.headers).json()["status"] != "ready":
        assert time.monotonic() < until
        time.sleep(0.1)  # polls until the deadline above
