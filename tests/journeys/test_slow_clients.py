"""Normal requests next to hundreds of slow clients: the short form of `make slow-clients`."""

import threading
import time

import httpx

from drills.slow_clients.attack import KINDS, Attack
from tests.cast import Someone
from tests.journeys.conftest import Web

_CONNECTIONS = 500


def test_normal_requests_are_answered_next_to_slow_clients_of_every_kind(owner: Someone, web: Web) -> None:
    attack = Attack(int(web.url.rpartition(":")[2]), kinds=list(KINDS.values()), count=_CONNECTIONS, addresses=30)
    over = threading.Event()
    attacker = threading.Thread(target=attack.run, kwargs={"is_over": over.is_set})
    attacker.start()
    try:
        while attack.seen["opened"] < _CONNECTIONS:
            time.sleep(0.05)  # between two looks
        for _ in range(5):
            with httpx.Client(base_url=web.url, headers=owner.headers, timeout=30) as client:
                assert client.get("/livez").status_code == 200
                assert client.get("/v1/collections/").json() == []
                assert client.post("/v1/search/", json={"query": "a"}).status_code == 200
                body = {"name": "a", "url": "https://example.com/a.pdf", "metadata": {"text": "x" * 100_000}}
                assert client.post("/v1/documents/upsert-document/", json=body).status_code == 202
                client.delete("/v1/collections/default_collection/")
    finally:
        over.set()
        attacker.join()
