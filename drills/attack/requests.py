"""Attacks by single requests of a tenant: large bodies, echoes, storage outside the quota, expensive options."""

import json
import time

import httpx

from benchmarks.harness.stack import peak_mb
from drills.attack.scene import Attack, Broken, Scene, code_of, refused
from paliapi.units import MEBIBYTE

_JSON = {"Content-Type": "application/json"}
# The units with which a search may cost what it likes. A full budget has 120.
_ENOUGH = 110


def _lists_in_a_query(scene: Scene) -> str:
    return _post_lists(scene, "/v1/search/", '{"query":[', count=100_000)


def _sixty_megabytes_of_lists(scene: Scene) -> str:
    before = peak_mb(scene.stack.pid_of("web"))
    answer = _post_lists(scene, "/v1/search/", '{"query":[', count=20_000_000)
    grown = peak_mb(scene.stack.pid_of("web")) - before
    if grown > 1024:
        raise Broken(f"the web server grew by {grown:,.0f} MB")
    return answer


def _lists_in_metadata(scene: Scene) -> str:
    start = '{"name":"x","collection_name":"x","base64":"eA==","metadata":{"a":['
    return _post_lists(scene, "/v1/documents/upsert-document/", start, count=300_000, end="]}}")


def _lists_in_a_key(scene: Scene) -> str:
    return _post_lists(scene, "/v1/keys/", '{"name":"x","scopes":["read"],"collections":[', count=100_000)


def _post_lists(scene: Scene, path: str, start: str, *, count: int, end: str = "]}") -> str:
    body = start + ",".join(["[]"] * min(count, 100_000)) + ",[]" * max(0, count - 100_000) + end
    begun = time.monotonic()
    with scene.client(scene.attacker) as client:
        answer = refused(client.post(path, content=body.encode(), headers=_JSON))
    seconds = time.monotonic() - begun
    if seconds > 20:
        raise Broken(f"{answer} after {seconds:.0f} s")
    return answer


def _echo(scene: Scene) -> str:
    with scene.client(scene.attacker) as client:
        body = {"page": {"document_name": "x" * (2 * MEBIBYTE - 1000), "page_number": 1}}
        return refused(client.post("/v1/search/", json=body))


def _storage(scene: Scene) -> str:
    """Create collections with large metadata, and keep the answers to repeat them."""
    metadata = {"text": "x" * 250_000}
    with scene.client(scene.attacker) as client:
        before = client.get("/v1/usage/").json()["bytes"]
        for number in range(10):
            headers = {"Idempotency-Key": f"storage-{number}"}
            body = {"name": f"storage-{number}", "metadata": metadata}
            response = client.post("/v1/collections/", json=body, headers=headers)
            if response.status_code >= 400:
                return refused(response)
        counted = client.get("/v1/usage/").json()["bytes"] - before
        for number in range(10):
            client.delete(f"/v1/collections/storage-{number}/")
    if counted < 10 * len(json.dumps(metadata)):
        raise Broken(f"2.5 MB were stored and {counted:,} bytes counted")
    return "counted against the quota"


def _cost_of_options(scene: Scene) -> str:
    """Compare what a plain search costs with what an expensive one does, by the rate limit's headers."""
    plain = {"query": "light", "images": "none", "top_k": 1}
    dear = {"query": "light " * 1500, "images": "none", "mode": "exact", "ranking": "hybrid", "top_k": 1000}
    with scene.client(scene.attacker) as client:
        costs = []
        for body in (plain, dear):
            before = _budget_of(client)
            response = client.post("/v1/search/", json=body)
            if response.status_code not in (200, 422):
                raise Broken(f"{response.status_code} {code_of(response)}")
            costs.append(before - _remaining(response.headers))
    if costs[1] < 5 * costs[0]:
        raise Broken(f"a plain search costs {costs[0]}, the most expensive {costs[1]}")
    return f"costs {costs[1]} instead of {costs[0]}"


def _budget_of(client: httpx.Client) -> int:
    """Wait until the key has the budget for an expensive search, which former attacks may have spent; return it."""
    while (units := _remaining(client.get("/v1/me/").headers)) < _ENOUGH:
        time.sleep(1)  # the budget grows by ten units per second
    return units


def _remaining(headers: httpx.Headers) -> int:
    """Return what is left of the key's budget."""
    return int(headers["ratelimit"].partition("r=")[2].partition(";")[0])


def _invisible_characters(scene: Scene) -> str:
    with scene.client(scene.attacker) as client:
        return refused(client.post("/v1/collections/", json={"name": "report\u202efdp.exe"}))


def _long_path(scene: Scene) -> str:
    with scene.client("") as client:
        response = client.get("/v1/documents" + "/pages/1" * 900 + "/")
    if response.status_code != 414:
        raise Broken(f"routed: {response.status_code}")
    return refused(response)


ATTACKS = (
    Attack("A query of 100,000 lists", "422 of 11 MB after 9 s", _lists_in_a_query),
    Attack("A query of 20 million lists", "no answer, 14 GB of memory", _sixty_megabytes_of_lists),
    Attack("Metadata of 300,000 lists", "413 after 4 s", _lists_in_metadata),
    Attack("A key for 100,000 collections that are lists", "422 of 9 MB after 10 s", _lists_in_a_key),
    Attack("A name of 2 MB, to have it echoed", "came back in the error", _echo),
    Attack("Metadata and kept answers as free storage", "not counted", _storage),
    Attack("The most expensive search at the price of the cheapest", "each costs 1", _cost_of_options),
    Attack("A name with a character that reverses the text after it", "accepted", _invisible_characters),
    Attack("A path of 7,000 characters that matches nearly every route", "0.1 s for each", _long_path),
)
