"""The usage of an owner equals what its rows add up to, whatever was done in whatever order."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_for
from accounts.quotas import usage
from collections_app.ingest import worker
from collections_app.models import IdempotentAnswer
from collections_app.storage import housekeeping
from tests.cast import Someone
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.collections_app.documents import PNG, put
from tests.collections_app.engine.outbound.web_servers import listening, ok
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import process_all

STEPS = 60
TINY = (72, 72)
FILES = [PNG, pdf("one", size=TINY), pdf("two", "three", size=TINY), pdf("secret", encrypt=True)]
METADATA: list[dict[str, Any]] = [{}, {"a": 1}, {"text": "ü" * 500}, {"nested": [{"b": None}, 1.5, "x" * 3000]}]


class _Walk:
    """Random changes of one owner's data. Most succeed; some are refused, which must change nothing."""

    def __init__(self, owner: Someone, seed: int, *, url: str) -> None:
        self._owner, self._url = owner, url
        self._random = random.Random(seed)  # noqa: S311 - to be repeatable

    def step(self) -> None:
        actions: list[Callable[[], Any]] = [
            self.create_collection,
            self.change_collection,
            self.upload,
            self.upload,
            self.submit_url,
            self.change_document,
            self.change_document,
            self.delete,
            self.cancel_or_retry,
            self.process,
            self.let_answers_expire,
        ]
        self._random.choice(actions)()

    def create_collection(self) -> None:
        body = {"name": self._name(), "metadata": self._metadata()}
        self._owner.post("/v1/collections/", body, **self._idempotency_key())

    def change_collection(self) -> None:
        body = {"name": self._name(), "metadata": self._metadata()}
        self._owner.patch(f"/v1/collections/{self._name()}/", self._some_of(body))

    def upload(self) -> None:
        put(
            self._owner,
            self._name(),
            self._random.choice(FILES),
            collection=self._name(),
            metadata=self._metadata(),
        )

    def submit_url(self) -> None:
        body = {"name": self._name(), "collection_name": self._name(), "metadata": self._metadata()}
        self._owner.post("/v1/documents/upsert-document/", {**body, "url": self._url}, **self._idempotency_key())

    def change_document(self) -> None:
        body = {"name": self._name(), "metadata": self._metadata(), "url": f"{self._url}?again"}
        changes = {**self._some_of(body), "collection_name": self._name()}
        self._owner.patch(f"/v1/documents/{self._name()}/", changes)

    def delete(self) -> None:
        path = self._random.choice(
            [f"documents/{self._name()}/?collection_name={self._name()}", f"collections/{self._name()}/"]
        )
        self._owner.delete(f"/v1/{path}")

    def cancel_or_retry(self) -> None:
        act = self._random.choice(["cancel", "retry"])
        self._owner.post(f"/v1/documents/{self._name()}/{act}/?collection_name={self._name()}", {})

    def process(self) -> None:
        worker.run()

    def let_answers_expire(self) -> None:
        with acting_for(self._owner.id):
            IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
        if self._random.random() < 0.5:  # otherwise some are used again
            housekeeping.delete_expired_answers()

    def _name(self) -> str:
        return self._random.choice("abc")

    def _metadata(self) -> dict[str, Any]:
        return self._random.choice(METADATA)

    def _idempotency_key(self) -> dict[str, str]:
        return self._random.choice([{}, {"Idempotency_Key": "one"}, {"Idempotency_Key": "two"}])

    def _some_of(self, body: dict[str, Any]) -> dict[str, Any]:
        return {name: body[name] for name in self._random.sample(sorted(body), self._random.randint(1, len(body)))}


@pytest.mark.parametrize("seed", range(5))
def test_usage_matches_the_rows_after_random_changes(
    alice: Someone, embedding: None, settings: Settings, seed: int
) -> None:
    with listening({"/report": ok(FILES[1])}) as server:
        ports = frozenset({server.port})
        settings.ENV = replace(settings.ENV, fetch_allow=("127.0.0.1",), fetch_ports=ports, rate_burst=10**6)
        walk = _Walk(alice, seed, url=f"http://127.0.0.1:{server.port}/report")
        for _ in range(STEPS):
            walk.step()
            assert_usage_matches_rows(alice)
        process_all()
    assert_usage_matches_rows(alice)
    for collection in alice.get("/v1/collections/").json():
        assert alice.delete(f"/v1/collections/{collection['name']}/").status_code == 204
    with acting_for(alice.id):
        IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    housekeeping.delete_expired_answers()
    with acting_for(alice.id) as tx:
        left = usage(tx)
    assert (left.collections, left.documents, left.pages, left.bytes) == (0, 0, 0, 0)
