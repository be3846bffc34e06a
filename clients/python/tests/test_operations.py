"""Every operation of the OpenAPI document has a method, which sends what the document describes."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from conftest import DOCUMENT, URL, Server

from paliapi_client import Client, F, Hit, PaliAPIError, SearchResult
from paliapi_client.models import accounts, collections, documents, embeddings, evaluations, searching, webhooks

SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"
SPECIFICATION: dict[str, Any] = yaml.load(PAGE.read_text(), SafeLoader)  # noqa: S506 - it is safe
OPERATIONS = {
    operation["operationId"]: (path, method.upper(), operation)
    for path, methods in SPECIFICATION["paths"].items()
    for method, operation in methods.items()
    if method != "parameters"
}
# Others call these: ColiVara's clients, and Dify.
OF_OTHERS = {"addWebhookCompatible", "deleteDocumentCompatible", "difyRetrieval"}
SOON = datetime(2030, 1, 1, tzinfo=timezone.utc)
FILE = b"content"
PART = {"document_name": "a", "page_number": 1}
FILTERS: dict[str, Any] = {
    "collection_name": "c",
    "filter": F("year") >= 2024,
    "top_k": 3,
    "offset": 1,
    "min_score": 0.1,
    "group_by": "document",
    "mode": "exact",
    "include": ["text"],
}
METADATA = {"year": 2026}
UPSERT: dict[str, Any] = {"name": "a", "collection_name": "c", "metadata": METADATA, "on_page_error": "skip"}

CALLS: dict[str, Callable[[Client], Any]] = {
    "listCollections": lambda pali: pali.collections.list(page_size=2),
    "createCollection": lambda pali: pali.collections.create("c", metadata=METADATA, vector_storage="compact"),
    "getCollection": lambda pali: pali.collections.get("c"),
    "updateCollection": lambda pali: pali.collections.update("c", new_name="d", metadata=METADATA, if_match='"1"'),
    "deleteCollection": lambda pali: pali.collections.delete("c", if_match='"1"'),
    "getCollectionQuality": lambda pali: pali.collections.quality("c"),
    "listDocuments": lambda pali: pali.documents.list(collection_name="c", expand="pages", page_size=2),
    "getDocument": lambda pali: pali.documents.get("a/b", collection_name="c", expand="pages"),
    "updateDocument": lambda pali: pali.documents.update("a", new_name="b", move_to="c", url="https://x"),
    "deleteDocument": lambda pali: pali.documents.delete("a", collection_name="c", if_match='"1"'),
    "cancelDocument": lambda pali: pali.documents.cancel("a", collection_name="c"),
    "retryDocument": lambda pali: pali.documents.retry("a", collection_name="c"),
    "streamDocumentEvents": lambda pali: pali.documents.follow("a", collection_name="c"),
    "getPage": lambda pali: pali.pages.get("a", 1, collection_name="c"),
    "getPageImage": lambda pali: pali.pages.image("a", 1, collection_name="c"),
    "upsertDocument": lambda pali: pali.documents.upload_url("https://x", use_proxy=False, **UPSERT),
    "upsertDocuments": lambda pali: pali.documents.upload_batch([PAGE], archive=FILE, collection_name="c"),
    "getFile": lambda pali: pali.documents.download("a"),
    "getSignedPageImage": lambda pali: _hit(pali).image(),
    "getSignedPageThumbnail": lambda pali: _hit(pali).thumbnail(),
    "search": lambda pali: pali.search("q", ranking="hybrid", rerank=True, allow_degraded=True, **FILTERS),
    "searchImage": lambda pali: pali.search_image(FILE, **FILTERS),
    "filter": lambda pali: pali.documents.filter(F("year").exists(), expand="pages", page_size=2),
    "createEmbeddings": lambda pali: pali.embeddings.of_queries(["a"]),
    "fileToImages": lambda pali: pali.files.to_images(FILE),
    "fileToBase64": lambda pali: pali.files.to_base64(FILE),
    "listJobs": lambda pali: pali.jobs.list(collection_name="c", status="failed", page_size=2),
    "getProgress": lambda pali: pali.jobs.progress(),
    "listKeys": lambda pali: pali.keys.list(page_size=2),
    "createKey": lambda pali: pali.keys.create("k", scopes=["read"], collections=["c"], expires_at=SOON),
    "rotateKey": lambda pali: pali.keys.rotate(1, overlap_hours=1),
    "revokeKey": lambda pali: pali.keys.revoke(1, with_descendants=True),
    "getMe": lambda pali: pali.me(),
    "getUsage": lambda pali: pali.usage(),
    "getHealth": lambda pali: pali.health(),
    "listWebhooks": lambda pali: pali.webhooks.list(page_size=2),
    "createWebhook": lambda pali: pali.webhooks.create("https://x", description="d", events=["document.ready"]),
    "getWebhook": lambda pali: pali.webhooks.get(1),
    "updateWebhook": lambda pali: pali.webhooks.update(1, url="https://x", description="", events=[], enabled=True),
    "deleteWebhook": lambda pali: pali.webhooks.delete(1),
    "rotateWebhookSecret": lambda pali: pali.webhooks.rotate_secret(1, overlap_hours=1),
    "testWebhook": lambda pali: pali.webhooks.test(1),
    "listWebhookDeliveries": lambda pali: pali.webhooks.deliveries(1, status="failed", page_size=2),
    "replayWebhookDelivery": lambda pali: pali.webhooks.replay(1, 2),
    "listEvaluations": lambda pali: pali.evaluations.list(collection_name="c", page_size=2),
    "createEvaluation": lambda pali: pali.evaluations.create(
        "e", collection_name="c", questions=[], queries="", qrels=""
    ),
    "getEvaluation": lambda pali: pali.evaluations.get(1),
    "deleteEvaluation": lambda pali: pali.evaluations.delete(1),
    "listEvaluationRuns": lambda pali: pali.evaluations.runs(1, page_size=2),
    "startEvaluationRun": lambda pali: pali.evaluations.start_run(1, rankings=["auto"]),
    "getEvaluationRun": lambda pali: pali.evaluations.get_run(1, 2),
    "deleteEvaluationRun": lambda pali: pali.evaluations.delete_run(1, 2),
    "cancelEvaluationRun": lambda pali: pali.evaluations.cancel_run(1, 2),
    "compareEvaluationRuns": lambda pali: pali.evaluations.compare_runs(1, 2, baseline=3),
    "listEvaluationRunQuestions": lambda pali: pali.evaluations.run_questions(1, 2),
}


def test_every_operation_has_a_method() -> None:
    assert CALLS.keys() == OPERATIONS.keys() - OF_OTHERS


@pytest.mark.parametrize("name", CALLS)
def test_the_method_sends_what_the_document_describes(server: Server, client: Client, name: str) -> None:
    path, method, operation = OPERATIONS[name]

    def answer(request: httpx.Request) -> httpx.Response:
        if name == "getFile" and "files" not in request.url.path:
            return httpx.Response(200, json=DOCUMENT)
        return httpx.Response(403, json={"code": "here", "detail": "Far enough."})

    server.answer(answer)
    try:
        result = CALLS[name](client)
        if isinstance(result, Iterator):
            next(result)
    except PaliAPIError:
        pass
    number = 1 if name == "getFile" else 0
    request, body = server.requests[number], server.bodies[number]
    assert request.method == method
    assert re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), request.url.raw_path.decode().partition("?")[0])
    known = {each["name"].lower(): each["in"] for each in operation.get("parameters", [])}
    assert set(request.url.params) <= {key for key, place in known.items() if place == "query"}
    sent = {key for key in ("idempotency-key", "if-match") if key in request.headers}
    assert sent <= known.keys()
    assert ("idempotency-key" in known) == ("idempotency-key" in sent), "what may be repeated is"
    _check_body(operation, request, body)


def _check_body(operation: dict[str, Any], request: httpx.Request, body: bytes) -> None:
    kind = request.headers.get("Content-Type", "").partition(";")[0]
    if not kind:
        assert body == b""
        return
    content = operation["requestBody"]["content"][kind]["schema"]
    schema = _resolved(content)
    if kind == "application/json":
        fields = set(json.loads(body))
    else:
        fields = {name.decode() for name in re.findall(rb'form-data; name="(\w+)"', body)}
    assert fields <= schema["properties"].keys()
    assert set(schema.get("required", ())) <= fields


MODULES = (accounts, collections, documents, embeddings, evaluations, searching, webhooks)
MODELS = {
    name: model
    for module in MODULES
    for name, model in vars(module).items()
    if dataclasses.is_dataclass(model) and isinstance(model, type)
}
NAMES = {
    "AnswerOut": None,
    "ColiVarasWebhookOut": None,
    "Base64Out": None,
    "EventOut": None,
    "DocumentAccepted": None,
    "SearchOut": SearchResult,
    "HitOut": Hit,
    "KeyMinted": MODELS["NewKey"],
    "RunOut": MODELS["EvaluationRun"],
    "RunErrorOut": MODELS["RunError"],
    "MeanOut": MODELS["Mean"],
    "DocumentsAccepted": MODELS["BatchAnswer"],
    "UploadedOut": MODELS["BatchEntry"],
    "ProgressOut": MODELS["Backlog"],
    "ImageOut": MODELS["RenderedPage"],
    "ItemOut": MODELS["JudgedItem"],
    "TokenOut": MODELS["TokenMap"],
    "RecordOut": None,
    "RetrievalOut": None,
    "ProblemOut": None,
    "ProblemPlace": None,
}
SCHEMAS = {
    name: NAMES[name] if name in NAMES else MODELS.get(name.removesuffix("Out"))
    for name, schema in SPECIFICATION["components"]["schemas"].items()
    if "properties" in schema and not name.endswith("Request") and NAMES.get(name, name) is not None
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_answers_have_the_fields_of_the_document(name: str) -> None:
    model = SCHEMAS[name]
    assert model is not None, f"There is no dataclass for {name}."
    schema = SPECIFICATION["components"]["schemas"][name]
    fields = {field.name: field for field in dataclasses.fields(model)}
    assert fields.keys() - {"etag"} == schema["properties"].keys()
    for key, described in schema["properties"].items():
        optional = (
            fields[key].default is not dataclasses.MISSING or fields[key].default_factory is not dataclasses.MISSING
        )
        absent = key not in schema.get("required", ()) or described.get("nullable", False)
        assert optional or not absent, key


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found = schema
    if "$ref" in schema:
        found = SPECIFICATION["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _hit(pali: Client) -> Hit:
    hit = Hit(
        collection_name="c",
        collection_id=1,
        document_name="a",
        document_id=1,
        page_number=1,
        page_id=1,
        img_base64="",
        image_url=f"{URL}/v1/files/pages/token",
        thumbnail_url=f"{URL}/v1/files/thumbnails/token",
        width=1,
        height=1,
    )
    object.__setattr__(hit, "_runtime", pali._runtime)
    return hit
