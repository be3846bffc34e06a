"""A user's way through the Python client, without and with asyncio, against a running PaliAPI."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Elsewhere
from paliapi_client import (
    AsyncClient,
    Client,
    F,
    FileResult,
    InvalidRequest,
    NotFound,
    ProcessingFailed,
    Progress,
    Unauthorized,
    verify_webhook,
)

JPEG = b"\xff\xd8"


def test_without_asyncio(
    sample: Path, files: Elsewhere, receiver: Elsewhere, restart: Callable[[], None], tmp_path: Path
) -> None:
    name = "python"
    files.content = sample.read_bytes()
    with Client() as pali:
        assert pali.collections.create(name, metadata={"team": "coast"}).num_documents == 0
        webhook = pali.webhooks.create(f"{receiver.url}/hook", events=["document.ready"])
        _upload(pali, name, sample, files.url)
        _search(pali, name)
        body, headers = receiver.wait_for(lambda body: b"by-path" in body)
        assert verify_webhook(body, headers, webhook.secret) == json.loads(body)
        pali.webhooks.delete(webhook.id)
        _keys(pali, name)
        _folder(pali, f"{name}-folder", tmp_path, sample, restart)
        pali.documents.delete("by-bytes", collection_name=name)
        with pytest.raises(NotFound):
            pali.documents.get("by-bytes", collection_name=name)
        pali.collections.delete(f"{name}-folder")
        pali.collections.delete(name)
        with pytest.raises(NotFound):
            pali.collections.get(name)


def _upload(pali: Client, name: str, sample: Path, url: str) -> None:
    seen: list[Progress] = []
    document = pali.documents.upload(
        sample, name="by-path", collection_name=name, metadata={"year": 2026}, wait=True, on_progress=seen.append
    )
    assert (document.status, document.num_pages) == ("ready", 3)
    assert (seen[0].status, seen[0].bytes_sent, seen[-1].status) == ("uploading", sample.stat().st_size, "ready")
    pali.documents.upload(sample.read_bytes(), name="by-bytes", collection_name=name, metadata={"year": 2020})
    pali.documents.upload(io.BytesIO(sample.read_bytes()), name="by/file", collection_name=name)
    pali.documents.upload_url(f"{url}/x.pdf", name="by-url", collection_name=name)
    for each in ("by-bytes", "by/file", "by-url"):
        assert pali.documents.wait(each, collection_name=name).status == "ready"
    with pytest.raises(ProcessingFailed) as failure:
        pali.documents.upload(b"%PDF-1.4 nothing", name="bad", collection_name=name, wait=True)
    assert failure.value.code == "file_damaged"
    assert [job.document_name for job in pali.jobs.list(collection_name=name)] == ["bad"]
    pali.documents.delete("bad", collection_name=name)
    assert pali.documents.download("by/file", collection_name=name) == sample.read_bytes()


def _folder(pali: Client, name: str, folder: Path, sample: Path, restart: Callable[[], None]) -> None:
    for number in range(59):
        (folder / f"{number}.txt").write_text(f"Report {number}: the lamp was lit {number} times.")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    restarting = threading.Thread(target=restart)
    started: list[bool] = []

    def on_result(file: FileResult) -> None:
        if not started:
            started.append(True)
            restarting.start()

    result = pali.documents.upload_folder(folder, collection_name=name, wait=True, on_result=on_result)
    restarting.join()
    assert [(file.name, type(file.error)) for file in result.failed] == [("bad.pdf", ProcessingFailed)]
    assert sum(file.status == "ready" for file in result.files) == 59
    again = pali.documents.upload_folder(folder, collection_name=name, wait=True)
    assert sum(file.status == "unchanged" for file in again.files) == 59
    assert len([*pali.documents.list(collection_name=name)]) == 60


def _search(pali: Client, name: str) -> None:
    assert {document.name for document in pali.documents.list(collection_name=name, page_size=1)} == {
        "by-path",
        "by-bytes",
        "by/file",
        "by-url",
    }
    recent = F("year") >= 2024
    result = pali.search(
        "How far is a light seen?",
        collection_name=name,
        filter=recent & F("team", on="collection").exists(),
        top_k=3,
        include=["regions", "text", "receipt"],
    )
    assert {hit.document_name for hit in result.hits} == {"by-path"}
    hit = result.hits[0]
    assert hit.regions is not None
    assert hit.regions.boxes
    assert hit.text
    assert result.receipt is not None
    assert hit.image().startswith(JPEG)
    assert len(hit.thumbnail()) < len(hit.image())
    page = {"document_name": "by-path", "page_number": 2, "collection_name": name}
    assert pali.search(page=page, collection_name=name, images="none").hits
    assert pali.search(crop={**page, "box": [0.05, 0.05, 0.95, 0.5]}, collection_name=name).hits
    parts = [{"text": "lens"}, {"page": page, "weight": 0.5}, {"text": "granite", "weight": -0.3}]
    assert pali.search(parts, collection_name=name, group_by="document").hits
    image = pali.pages.image("by-path", 1, collection_name=name)
    found = pali.search_image(image, collection_name=name, top_k=1, images="base64").hits[0]
    assert found.image().startswith(JPEG)
    assert [document.name for document in pali.documents.filter(recent)] == ["by-path"]
    assert pali.pages.get("by-path", 1, collection_name=name).text
    with pytest.raises(InvalidRequest) as refusal:
        pali.search("light", top_k=-1)
    assert refusal.value.errors[0].pointer == "/top_k"


def _keys(pali: Client, name: str) -> None:
    key = pali.keys.create("reader", scopes=["search"], collections=[name])
    with Client(api_key=key.key) as reader:
        # It may follow the links of hits, though it may not read documents.
        assert reader.search("light", collection_name=name).hits[0].image().startswith(JPEG)
    pali.keys.revoke(key.id)
    with Client(api_key=key.key) as reader, pytest.raises(Unauthorized):
        reader.me()


def test_the_example_notebook_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    cells = json.loads((ROOT / "clients" / "python" / "examples" / "search.ipynb").read_text())["cells"]
    names: dict[str, Any] = {}
    shown = []
    for cell in cells:
        if cell["cell_type"] == "code":
            *lines, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module(lines, []), "notebook", "exec"), names)  # noqa: S102 - our own notebook
            value = eval(compile(ast.Expression(last.value), "notebook", "eval"), names)  # type: ignore[attr-defined] # noqa: S307
            shown += [value._repr_html_()] if hasattr(value, "_repr_html_") else []
    names["pali"].close()
    assert ["Heat map" in html for html in shown] == [True, False]


def test_with_asyncio(sample: Path, files: Elsewhere) -> None:
    files.content = sample.read_bytes()
    asyncio.run(_with_asyncio(sample, files.content, files.url))


async def _with_asyncio(sample: Path, content: bytes, url: str) -> None:
    name = "python-async"
    async with AsyncClient() as pali:
        await pali.collections.create(name)
        seen: list[Progress] = []
        document, *_ = await asyncio.gather(
            pali.documents.upload(sample, name="by-path", collection_name=name, wait=True, on_progress=seen.append),
            pali.documents.upload(content, name="by-bytes", collection_name=name, wait=True),
            pali.documents.upload_url(f"{url}/x.pdf", name="by-url", collection_name=name, wait=True),
        )
        assert (document.num_pages, seen[-1].status) == (3, "ready")
        names = [document.name async for document in pali.documents.list(collection_name=name, page_size=2)]
        assert sorted(names) == ["by-bytes", "by-path", "by-url"]
        statuses = [progress.status async for progress in pali.documents.follow("by-path", collection_name=name)]
        assert statuses == ["ready"]
        result = await pali.search("light", collection_name=name, top_k=2, include=["regions"])
        assert (await result.hits[0].image()).startswith(JPEG)
        with pytest.raises(NotFound):
            await pali.documents.get("none", collection_name=name)
        await pali.collections.delete(name)
