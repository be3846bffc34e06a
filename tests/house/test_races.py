"""Concurrent requests end as if they had run one after another."""

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event, Semaphore
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from pytest_django import Settings

from accounts import key_lifecycle
from accounts.ownership import acting_for
from collections_app.models import Collection, Document, Revision
from collections_app.storage import files
from paliapi.stack import processes
from tests.cast import Someone, someone
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.collections_app.documents import PDF, PNG, put, shown_with_pages
from tests.collections_app.searchable import random_vectors, with_vectors
from tests.house.answers import in_order
from tests.statements import is_somebody_waiting_for_a_lock

ROUNDS = range(3)
UPSERT = "/v1/documents/upsert-document/"


@pytest.fixture
def owner(transactional_db: None, settings: Settings) -> Iterator[Someone]:
    """An owner without concurrency limits; afterwards, usage must match the rows."""
    settings.ENV = replace(settings.ENV, max_concurrent_uploads=100, rate_per_minute=10**9, rate_burst=10**9)
    owner = someone("racer@example.com")
    yield owner
    assert_usage_matches_rows(owner)
    with acting_for(owner.id):
        assert not Document.objects.filter(latest=None).exists()


def at_once(*calls: Callable[[], Any]) -> list[int]:
    """Run calls concurrently and return their statuses."""
    start = Barrier(len(calls), timeout=30)

    def run(call: Callable[[], Any]) -> int:
        try:
            start.wait()
            return in_order(call())
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def _upsert(who: Someone, name: str, content: bytes, version: int, collection: str = "reports") -> Callable[[], Any]:
    body = {"name": name, "metadata": {"version": version}, "collection_name": collection}
    return lambda: who.post(UPSERT, {**body, "base64": encoded(content)})


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_upserts_of_one_name_leave_one_complete_document(owner: Someone, round_: int) -> None:
    contents = {1: PDF, 2: PNG, 3: PDF + b"%more", 4: PDF}
    calls = [_upsert(owner, "a.pdf", content, version) for version, content in contents.items()]
    assert at_once(*calls) == [202] * 4
    (document,) = owner.get("/v1/documents/?collection_name=reports").json()
    with acting_for(owner.id):
        revision = Revision.objects.select_related("file").get()
        assert revision.metadata == document["metadata"]
        assert revision.file is not None
        with files.open_file(revision.file) as file:
            assert file.read() == contents[document["metadata"]["version"]]


@pytest.mark.parametrize("round_", ROUNDS)
def test_upsert_during_deletion_of_its_collection_is_all_or_nothing(owner: Someone, round_: int) -> None:
    put(owner, "old.pdf", PDF, collection="reports")
    payload = at_once(
        _upsert(owner, "new.pdf", PDF, 1),
        _upsert(owner, "old.pdf", PNG, 2),
        lambda: owner.delete("/v1/collections/reports/"),
    )
    assert payload == [202, 202, 204]
    for document in owner.get("/v1/documents/?collection_name=reports").json():
        assert owner.get(f"/v1/documents/{document['name']}/?collection_name=reports").status_code == 200


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_renames_to_one_name_succeed_once(owner: Someone, round_: int) -> None:
    for name in ("a", "b"):
        put(owner, name, PDF)
        owner.post("/v1/collections/", {"name": name})
    assert sorted(
        at_once(*(lambda name=name: owner.patch(f"/v1/documents/{name}/", {"name": "c"}) for name in ("a", "b")))
    ) == [200, 409]
    assert sorted(
        at_once(*(lambda name=name: owner.patch(f"/v1/collections/{name}/", {"name": "c"}) for name in ("a", "b")))
    ) == [200, 409]


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_renames_of_a_document_leave_one_name(owner: Someone, round_: int) -> None:
    put(owner, "a", PDF)
    payload = at_once(*(lambda name=name: owner.patch("/v1/documents/a/", {"name": name}) for name in ("b", "c")))
    assert sorted(payload) in ([200, 200], [200, 404])
    (document,) = owner.get("/v1/documents/").json()
    assert document["name"] in {"b", "c"}


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_deletions_delete_once(owner: Someone, round_: int) -> None:
    shown_with_pages(owner, "a.pdf", pages=2, collection="reports")
    payload = at_once(*[lambda: owner.delete("/v1/documents/a.pdf/?collection_name=reports")] * 3)
    assert sorted(payload) == [204, 404, 404]
    payload = at_once(*[lambda: owner.delete("/v1/collections/reports/")] * 3)
    assert sorted(payload) == [204, 404, 404]


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_changes_and_deletions_never_deadlock(owner: Someone, round_: int) -> None:
    put(owner, "a.pdf", PDF, collection="reports")
    payload = at_once(
        _upsert(owner, "a.pdf", PNG, 1),
        lambda: owner.patch("/v1/documents/a.pdf/", {"metadata": {"x": 1}, "collection_name": "reports"}),
        lambda: owner.patch("/v1/documents/a.pdf/", {"base64": encoded(PNG), "collection_name": "reports"}),
        lambda: owner.delete("/v1/documents/a.pdf/?collection_name=reports"),
        lambda: owner.patch("/v1/collections/reports/", {"metadata": {"x": 1}}),
        lambda: owner.get("/v1/documents/a.pdf/?collection_name=reports&expand=pages"),
    )
    assert payload[0] == 202
    assert payload[3] in {204, 404}
    assert set(payload[1:]) <= {200, 204, 404}


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_moves_never_deadlock_and_keep_names_unique(owner: Someone, round_: int) -> None:
    for name, collection in (("x", "a"), ("y", "b"), ("z", "a"), ("z", "b")):
        put(owner, name, PDF, collection=collection)

    def move(name: str, source: str, target: str) -> Callable[[], Any]:
        return lambda: owner.patch(f"/v1/documents/{name}/", {"collection_name": source, "move_to": target})

    moves = at_once(
        move("x", "a", "b"),
        move("y", "b", "a"),
        move("z", "a", "b"),
        _upsert(owner, "x", PNG, 1, "a"),
        lambda: owner.delete("/v1/documents/y/?collection_name=b"),
    )
    assert (moves[0], moves[2], moves[3]) == (200, 409, 202)
    assert sorted([moves[1], moves[4]]) in ([200, 404], [204, 404], [200, 409])
    names = [(each["collection_name"], each["name"]) for each in owner.get("/v1/documents/?collection_name=all").json()]
    assert len(set(names)) == len(names)
    assert {("b", "x"), ("a", "z"), ("b", "z")} <= set(names)


@pytest.mark.parametrize("change", ["metadata", "content", "move", "cancel", "delete"])
def test_document_change_locks_its_collection_first(owner: Someone, change: str) -> None:
    put(owner, "b.pdf", PDF, collection="letters")
    put(owner, "a.pdf", PDF, collection="reports")
    path = "/v1/documents/a.pdf"
    calls: dict[str, Callable[[], Any]] = {
        "metadata": lambda: owner.patch(f"{path}/", {"metadata": {"x": 1}, "collection_name": "reports"}),
        "move": lambda: owner.patch(f"{path}/", {"move_to": "letters", "collection_name": "reports"}),
        "content": lambda: owner.patch(f"{path}/", {"base64": encoded(PNG), "collection_name": "reports"}),
        "cancel": lambda: owner.post(f"{path}/cancel/?collection_name=reports", {}),
        "delete": lambda: owner.delete(f"{path}/?collection_name=reports"),
    }

    def changed() -> int:
        try:
            return in_order(calls[change]())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with acting_for(owner.id):
            collection = Collection.objects.filter(owner_id=owner.id, name="reports")
            assert collection.update(vectors_seq=F("vectors_seq") + 1) == 1
            changing = pool.submit(changed)
            assert processes.wait_until(is_somebody_waiting_for_a_lock, within_s=60)
            assert Document.objects.filter(name="a.pdf").select_for_update(nowait=True).get().owner_id == owner.id
            assert not changing.done()
        assert changing.result(timeout=30) < 300


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_identical_requests_take_effect_once(owner: Someone, round_: int) -> None:
    body = {"name": "a.pdf", "collection_name": "reports", "base64": encoded(PDF)}
    assert at_once(*[lambda: owner.post(UPSERT, body, Idempotency_Key="once")] * 4) == [202] * 4
    assert at_once(*[lambda: owner.post("/v1/collections/", {"name": "c"}, Idempotency_Key="c")] * 4) == [201] * 4
    with acting_for(owner.id):
        assert Revision.objects.count() == 1
        assert Collection.objects.count() == 2


@pytest.mark.parametrize("round_", ROUNDS)
def test_last_free_place_in_the_quota_is_given_once(
    owner: Someone, settings: Settings, monkeypatch: pytest.MonkeyPatch, round_: int
) -> None:
    settings.ENV = replace(settings.ENV, max_webhooks=1)
    monkeypatch.setattr(key_lifecycle, "MAX_KEYS", 2)
    hook = {"url": "https://93.184.216.34/hook"}
    created = at_once(*[lambda: owner.post("/v1/webhooks/", hook)] * 4)
    assert sorted(created) == [201, 429, 429, 429]
    minted = at_once(*[lambda: owner.post("/v1/keys/", {"scopes": ["read"]})] * 4)
    assert sorted(minted) == [201, 429, 429, 429]


@pytest.mark.parametrize("round_", ROUNDS)
def test_nothing_that_a_key_creates_while_it_is_revoked_outlives_it(owner: Someone, round_: int) -> None:
    created = owner.post("/v1/keys/", {"scopes": ["admin"]}).json()
    leaked = Someone(owner.user, created["key"])
    address = f"/v1/keys/{created['id']}/"
    creating = [lambda: leaked.post("/v1/keys/", {"scopes": ["admin"]})] * 4
    rotating = [lambda: leaked.post(f"{address}rotate/", {})] * 2
    statuses = at_once(*creating, lambda: owner.delete(f"{address}?with=descendants"), *rotating)
    assert statuses[4] == 204
    assert set(statuses) <= {201, 204, 401, 409}
    active = [key["id"] for key in owner.get("/v1/keys/").json() if key["state"] == "active"]
    assert active == [owner.get("/v1/me/").json()["key_id"]]


@pytest.mark.parametrize("round_", ROUNDS)
def test_concurrent_colivara_webhook_calls_create_one(owner: Someone, round_: int) -> None:
    assert at_once(*[lambda: owner.post("/v1/webhook/", {"url": "https://93.184.216.34/hook"})] * 4) == [200] * 4
    assert len(owner.get("/v1/webhooks/").json()) == 1


def test_every_search_finds_a_document_exactly_once_while_its_revision_is_replaced(owner: Someone) -> None:
    page = random_vectors(1, count=3)
    with_vectors(owner, "asked.pdf", [page], collection="asked")
    for _ in range(2):
        with_vectors(owner, "swapped.pdf", [page], collection="reports")
    with acting_for(owner.id):
        revisions = Revision.objects.filter(owner_id=owner.id, document__name="swapped.pdf")
        old, new = revisions.order_by("pk").values_list("pk", flat=True)
    expected, done = Semaphore(0), Event()

    def swap() -> None:
        shown = new
        while expected.acquire(timeout=30) and not done.is_set():
            shown = old if shown == new else new
            with acting_for(owner.id):
                Document.objects.filter(owner_id=owner.id, name="swapped.pdf").update(shown=shown)
        connection.close()

    body = {"page": {"document_name": "asked.pdf", "collection_name": "asked", "page_number": 1}, "images": "none"}
    with ThreadPoolExecutor(1) as pool:
        swapping = pool.submit(swap)
        for _ in range(40):
            expected.release()
            answer = owner.post("/v1/search/", body)
            assert in_order(answer) == 200
            assert [hit["document_name"] for hit in answer.json()["results"]] == ["swapped.pdf"]
        done.set()
        expected.release()
        swapping.result(timeout=30)
