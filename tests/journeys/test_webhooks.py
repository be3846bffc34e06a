"""Webhook messages of running processes to a receiver that verifies them with ColiVara's own client."""

import base64
import json
from pathlib import Path

import httpx
from colivara_py import ColiVara  # type: ignore[import-untyped]

from paliapi.stack import processes
from tests.cast import Someone
from tests.collections_app.engine.rendering.samples import pdf
from tests.embeddings.scripted import Reply, scripted
from tests.environment import Services
from tests.journeys.conftest import Web
from tests.journeys.test_ingestion import working


def test_messages_arrive_at_least_once_if_a_courier_is_killed(
    owner: Someone, web: Web, services: Services, colivara: ColiVara, tmp_path: Path
) -> None:
    content = base64.b64encode(pdf("one", size=(72, 72))).decode()
    # Killed after the second message arrived, before that is recorded.
    with (
        scripted(lambda _: Reply(204), port=int(web.environment["WEBHOOK_PORTS"])) as receiver,
        # One process for documents and webhooks needs the settings of both parts.
        working(
            web,
            tmp_path,
            # Each counts on its own how often it reaches the failpoint.
            children=1,
            PALIAPI_PART="",
            DATABASE_STAFF_URL=services.staff_url,
            PALIAPI_FAILPOINT="webhook_answered:2=kill",
        ),
    ):
        hook = colivara.add_webhook(f"{receiver.url}/hook")
        path = f"{web.url}/v1/webhooks/{hook.endpoint_id}/"
        expected = {"events": ["document.ready", "upsert.success"]}
        httpx.patch(path, json=expected, headers=owner.headers).raise_for_status()
        colivara.upsert_document("report.pdf", {"year": 2026}, document_base64=content)

        def all_delivered() -> bool:
            rows = httpx.get(f"{path}deliveries/", headers=owner.headers).json()
            return [row["status"] for row in rows] == ["delivered"] * 2

        assert processes.wait_until(all_delivered, within_s=60)
    payload = [json.loads(item.body)["type"] for item in receiver.requests]
    assert sorted(set(payload)) == ["document.ready", "upsert.success"]
    assert len(payload) == 3
    assert len({item.headers["webhook-id"] for item in receiver.requests}) == 2
    for item in receiver.requests:
        assert colivara.validate_webhook(hook.webhook_secret, item.body.decode(), item.headers)
        assert not colivara.validate_webhook(hook.webhook_secret, item.body.decode() + " ", item.headers)
