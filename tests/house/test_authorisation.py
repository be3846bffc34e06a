"""The authorisation matrix: every operation of the OpenAPI document with every kind of key.

An operation without a row in `ROWS` fails here: say who may call it.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.access import Scope
from accounts.key_lifecycle import Rights, mint_key
from accounts.ownership import acting_as_staff, acting_for
from collections_app.models import Page, Revision
from collections_app.storage import links
from collections_app.storage.links import FileLink, PageLink
from tests.cast import EVERYTHING, Someone, with_expired_key, with_key, with_revoked_key
from tests.collections_app.documents import PDF, PNG, shown_with_pages
from tests.collections_app.evaluations.running import QUESTIONS, create_run
from tests.collections_app.webhooks.receiving import create_delivery
from tests.house.openapi import Operation, operations
from tests.house.tables import owned_tables, rows
from tests.statements import statements


@dataclass(frozen=True, kw_only=True)
class Row:
    """The status of an operation for each kind of caller. Rejected keys get `rejected`, unless it is open."""

    needs: Scope | Literal["any"] | None  # any: every valid key; None: no key needed
    owner: int = 200
    elsewhere: int  # for a key of the owner that is restricted to another collection
    stranger: int  # for a key of another owner
    rejected: int = 401
    body: dict[str, Any] | None = None
    form: Callable[[], dict[str, Any]] | None = None

    def expected(self) -> dict[str, int]:
        if self.needs is None:
            return dict.fromkeys(CALLERS, self.owner)
        return {
            "nobody": self.rejected,
            "revoked": self.rejected,
            "expired": self.rejected,
            "reader": self.owner if self.needs in ("read", "any") else 403,
            "searcher": self.owner if self.needs in ("search", "any") else 403,
            "elsewhere": self.elsewhere,
            "stranger": self.stranger,
            "owner": self.owner,
        }


RECEIVER = "https://93.184.216.34/hook"

# The owner comes last: refused callers must not change anything.
CALLERS = ("nobody", "revoked", "expired", "reader", "searcher", "elsewhere", "stranger", "owner")


def _file() -> dict[str, Any]:
    return {"file": SimpleUploadedFile("file", PNG)}


def _new_document() -> dict[str, Any]:
    return {"file": SimpleUploadedFile("file", PDF), "name": "new.pdf", "collection_name": "shelf-1"}


def _new_documents() -> dict[str, Any]:
    return {"files": [SimpleUploadedFile("newer.pdf", PDF)], "collection_name": "shelf-1"}


ROWS = {
    "getHealth": Row(needs=None, elsewhere=200, stranger=200),
    "getFile": Row(needs=None, elsewhere=200, stranger=200),
    "getMe": Row(needs="any", elsewhere=200, stranger=200),
    "getUsage": Row(needs="any", elsewhere=200, stranger=200),
    "listKeys": Row(needs="admin", elsewhere=200, stranger=200),
    "createKey": Row(
        needs="admin", owner=201, elsewhere=403, stranger=201, body={"scopes": ["read"], "collections": None}
    ),
    "revokeKey": Row(needs="admin", owner=204, elsewhere=404, stranger=404),
    "rotateKey": Row(needs="admin", owner=201, elsewhere=404, stranger=404, body={}),
    "listCollections": Row(needs="read", elsewhere=200, stranger=200),
    "createCollection": Row(needs="write", owner=201, elsewhere=403, stranger=201, body={"name": "brand-new"}),
    "getCollection": Row(needs="read", elsewhere=404, stranger=404),
    "updateCollection": Row(needs="write", elsewhere=404, stranger=404, body={"metadata": {"changed": True}}),
    "deleteCollection": Row(needs="write", owner=204, elsewhere=404, stranger=404),
    "getCollectionQuality": Row(needs="read", elsewhere=404, stranger=404),
    "listDocuments": Row(needs="read", elsewhere=200, stranger=200),
    "upsertDocument": Row(needs="write", owner=202, elsewhere=403, stranger=202, form=_new_document),
    "upsertDocuments": Row(needs="write", owner=202, elsewhere=403, stranger=202, form=_new_documents),
    "getDocument": Row(needs="read", elsewhere=404, stranger=404),
    "updateDocument": Row(
        needs="write", elsewhere=404, stranger=404, body={"metadata": {"changed": True}, "collection_name": "shelf-1"}
    ),
    "deleteDocument": Row(needs="write", owner=204, elsewhere=404, stranger=404),
    "deleteDocumentCompatible": Row(needs="write", owner=204, elsewhere=404, stranger=404),
    "cancelDocument": Row(needs="write", owner=409, elsewhere=404, stranger=404),
    "retryDocument": Row(needs="write", owner=409, elsewhere=404, stranger=404),
    "streamDocumentEvents": Row(needs="read", elsewhere=404, stranger=404),
    "listJobs": Row(needs="read", elsewhere=200, stranger=200),
    "getProgress": Row(needs="read", elsewhere=200, stranger=200),
    "getPage": Row(needs="read", elsewhere=404, stranger=404),
    "getPageImage": Row(needs="read", elsewhere=404, stranger=404),
    "listEvaluations": Row(needs="read", elsewhere=200, stranger=200),
    "createEvaluation": Row(
        needs="write",
        owner=201,
        elsewhere=403,
        stranger=404,
        body={"name": "x", "collection_name": "shelf-1", "questions": QUESTIONS},
    ),
    "getEvaluation": Row(needs="read", elsewhere=404, stranger=404),
    "deleteEvaluation": Row(needs="write", owner=204, elsewhere=404, stranger=404),
    "listEvaluationRuns": Row(needs="read", elsewhere=404, stranger=404),
    "startEvaluationRun": Row(needs="write", owner=409, elsewhere=404, stranger=404, body={}),
    "getEvaluationRun": Row(needs="read", elsewhere=404, stranger=404),
    "deleteEvaluationRun": Row(needs="write", owner=204, elsewhere=404, stranger=404),
    "cancelEvaluationRun": Row(needs="write", elsewhere=404, stranger=404),
    "listEvaluationRunQuestions": Row(needs="read", owner=409, elsewhere=404, stranger=404),
    "compareEvaluationRuns": Row(needs="read", owner=409, elsewhere=404, stranger=404),
    "filter": Row(needs="read", elsewhere=200, stranger=200, body={"key": "year", "value": 2026}),
    "search": Row(
        needs="search", elsewhere=200, stranger=200, body={"query": "lighthouse", "collection_name": "shelf-2"}
    ),
    "searchImage": Row(
        needs="search", elsewhere=200, stranger=200, body={"img_base64": base64.b64encode(PNG).decode()}
    ),
    # The status by which Dify recognises a wrong key.
    "difyRetrieval": Row(
        needs="search",
        elsewhere=404,
        stranger=404,
        rejected=403,
        body={"knowledge_id": "shelf-1", "query": "lighthouse", "retrieval_setting": {"top_k": 3}},
    ),
    "getSignedPageImage": Row(needs=None, elsewhere=200, stranger=200),
    "getSignedPageThumbnail": Row(needs=None, elsewhere=200, stranger=200),
    "createEmbeddings": Row(
        needs="search", elsewhere=200, stranger=200, body={"input_data": ["lighthouse"], "task": "query"}
    ),
    "fileToImages": Row(needs="write", elsewhere=200, stranger=200, form=_file),
    "fileToBase64": Row(needs="write", elsewhere=200, stranger=200, form=_file),
    "listWebhooks": Row(needs="admin", elsewhere=403, stranger=200),
    "createWebhook": Row(needs="admin", owner=201, elsewhere=403, stranger=201, body={"url": RECEIVER}),
    "addWebhookCompatible": Row(needs="admin", elsewhere=403, stranger=200, body={"url": RECEIVER}),
    "getWebhook": Row(needs="admin", elsewhere=403, stranger=404),
    "updateWebhook": Row(needs="admin", elsewhere=403, stranger=404, body={"enabled": False}),
    "deleteWebhook": Row(needs="admin", owner=204, elsewhere=403, stranger=404),
    "rotateWebhookSecret": Row(needs="admin", elsewhere=403, stranger=404, body={}),
    "testWebhook": Row(needs="admin", owner=202, elsewhere=403, stranger=404),
    "listWebhookDeliveries": Row(needs="admin", elsewhere=403, stranger=404),
    "replayWebhookDelivery": Row(needs="admin", owner=202, elsewhere=403, stranger=404),
}

# The response of a list to callers who may not see its rows.
EMPTY_FOR_OTHERS = {"listCollections", "listDocuments", "filter"}


@dataclass
class World:
    """Alice with one of everything, and all kinds of callers."""

    alice: Someone
    keys: dict[str, str]
    there: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def call(self, operation: Operation, row: Row, who: str, *, absent: bool = False) -> Any:
        place = self.absent if absent else self.there
        path = operation.path
        for name in operation.parameters("path"):
            path = path.replace(f"{{{name}}}", quote(place[name], safe=""))
        if "collection_name" in operation.parameters("query"):
            path += f"?collection_name={place['collection_name']}"
        if "baseline" in operation.parameters("query"):
            path += f"?baseline={place['run_id']}"
        headers = {"Authorization": f"Bearer {self.keys[who]}"} if self.keys[who] else {}
        if row.form is not None:
            return Client().post(path, row.form(), headers=headers)
        body = "" if row.body is None else json.dumps(row.body)
        kind = "application/json" if body else ""
        answer: Any = Client().generic(operation.method, path, body, content_type=kind, headers=headers)
        if answer.streaming:
            list(answer.streaming_content)  # or the file stays open
        return answer


@pytest.fixture
def world(alice: Someone, charlie: Someone, embedding: None) -> World:
    shown_with_pages(alice, "page-1.pdf", pages=1, collection="shelf-1", metadata={"year": 2026})
    with acting_for(alice.id) as tx:
        spare = mint_key(tx, rights=Rights(scopes=EVERYTHING)).key
        uploaded = Revision.objects.get(owner_id=alice.id)
        link = links.file_token(FileLink(alice.id, spare.pk, uploaded.document_id, uploaded.file_id or 0))
        of_page = PageLink(alice.id, spare.pk, Page.objects.get(owner_id=alice.id).pk)
        tokens = {
            "image_token": links.page_token(of_page),
            "thumbnail_token": links.page_token(of_page, kind="thumbnail"),
        }
    world = World(
        alice,
        {
            "nobody": "",
            "revoked": with_revoked_key(alice.user).key,
            "expired": with_expired_key(alice.user).key,
            "reader": with_key(alice.user, scopes=frozenset({"read"})).key,
            "searcher": with_key(alice.user, scopes=frozenset({"search"})).key,
            "elsewhere": with_key(alice.user, collections=frozenset({"drafts"})).key,
            "stranger": charlie.key,
            "owner": alice.key,
        },
    )
    world.there = {"collection_name": "shelf-1", "document_name": "page-1.pdf", "page_number": "1", "token": link}
    world.there |= tokens
    world.there["key_id"] = str(spare.pk)
    delivery = create_delivery(alice)
    world.there |= {"webhook_id": str(delivery.endpoint_id), "delivery_id": str(delivery.pk)}
    run = create_run(alice, collection="shelf-1")
    world.there |= {"evaluation_id": str(run["evaluation_id"]), "run_id": str(run["id"])}
    world.absent = {"collection_name": "shelf-2", "document_name": "page-2.pdf", "page_number": "1", "token": "absent"}
    for name in ("key_id", "webhook_id", "delivery_id", "evaluation_id", "run_id"):
        world.absent[name] = str(int(world.there[name]) + 1_000_000)
    return world


def stored_rows() -> dict[str, list[Any]]:
    """Return every owned row, without the last use of keys."""
    row = "to_jsonb(t) - 'last_used_at' - 'last_used_address'"
    with acting_as_staff():
        return {
            table: rows(f"SELECT owner_id, ({row})::text FROM {table} t ORDER BY 1, 2")  # noqa: S608
            for table in owned_tables()
        }


def of(owner_id: int, everything: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {table: [row for row in results if row[0] == owner_id] for table, results in everything.items()}


def observable(answer: Any) -> tuple[Any, ...]:
    """Return everything that distinguishes responses, without the requested ids."""
    body = {**answer.json(), "request_id": ""} if answer.content else None
    text = json.dumps(body).replace("shelf-2", "shelf-1").replace("page-2.pdf", "page-1.pdf")
    changing = {"X-Request-ID", "RateLimit", "Allow"}
    return answer.status_code, text, {name: value for name, value in answer.items() if name not in changing}


@pytest.mark.django_db
def test_every_operation_has_a_row() -> None:
    assert {operation.id for operation in operations()} == set(ROWS)


@pytest.mark.parametrize("operation_id", ROWS)
def test_each_key_has_the_access_in_its_row_and_refusals_change_nothing(world: World, operation_id: str) -> None:
    row = ROWS[operation_id]
    operation = next(item for item in operations() if item.id == operation_id)
    expected, results = row.expected(), {}
    before = stored_rows()
    for who in CALLERS:
        results[who] = world.call(operation, row, who).status_code
        if who != "owner" and not results[who] < 400:
            assert stored_rows() == before, f"{who} was refused, and changed something"
        if who == "stranger":
            assert of(world.alice.id, stored_rows()) == of(world.alice.id, before)
    assert results == expected


@pytest.mark.parametrize("operation_id", [name for name in ROWS if name != "getHealth"])
def test_statements_of_every_operation_have_a_time_limit(world: World, operation_id: str) -> None:
    operation = next(item for item in operations() if item.id == operation_id)
    with statements() as sent:
        world.call(operation, ROWS[operation_id], "owner")
    setting_owner = [text for text in sent if text.startswith("SELECT set_config('app.owner'")]
    limited = [text for text in setting_owner if "statement_timeout" in text]
    # Within the transaction of the test, one that succeeds sets the owner to the previous one at its end.
    assert len(setting_owner) - len(limited) <= len(limited)


@pytest.mark.parametrize("operation_id", [name for name, row in ROWS.items() if row.stranger == 404])
@pytest.mark.parametrize("who", ["stranger", "elsewhere"])
def test_inaccessible_and_missing_resources_get_the_same_response(world: World, who: str, operation_id: str) -> None:
    row = ROWS[operation_id]
    operation = next(item for item in operations() if item.id == operation_id)
    assert observable(world.call(operation, row, who)) == observable(world.call(operation, row, who, absent=True))


@pytest.mark.parametrize("operation_id", sorted(EMPTY_FOR_OTHERS))
@pytest.mark.parametrize("who", ["stranger", "elsewhere"])
def test_lists_are_empty_for_keys_without_access(world: World, who: str, operation_id: str) -> None:
    operation = next(item for item in operations() if item.id == operation_id)
    assert len(world.call(operation, ROWS[operation_id], "owner").json()) == 1
    assert world.call(operation, ROWS[operation_id], who).json() == []


@pytest.mark.parametrize("who", ["stranger", "elsewhere"])
def test_key_list_has_no_keys_with_wider_access(world: World, who: str) -> None:
    operation = next(item for item in operations() if item.id == "listKeys")
    assert len(world.call(operation, ROWS["listKeys"], who).json()) == 1


def test_every_rejected_key_gets_the_same_response(world: World) -> None:
    answers = []
    for operation in operations():
        if ROWS[operation.id].needs is not None and ROWS[operation.id].rejected == 401:
            answers += [
                observable(world.call(operation, ROWS[operation.id], who)) for who in ("nobody", "revoked", "expired")
            ]
    assert [answer for answer in answers if answer != answers[0]] == []
    assert answers[0][2]["WWW-Authenticate"] == 'Bearer realm="PaliAPI"'


@pytest.mark.parametrize("operation_id", [name for name, row in ROWS.items() if row.needs == "write"])
def test_key_without_read_gets_no_metadata_and_no_link(world: World, operation_id: str) -> None:
    operation = next(item for item in operations() if item.id == operation_id)
    for scopes in ({"write"}, {"write", "search"}):
        world.keys["writer"] = with_key(world.alice.user, scopes=frozenset(scopes)).key
        answer = world.call(operation, ROWS[operation_id], "writer")
        if not answer.content:
            continue
        body = answer.json()
        assert "/v1/files/" not in answer.content.decode()
        if isinstance(body, dict):
            assert body.get("metadata", {}) == {}
            assert body.get("url", "") == ""
