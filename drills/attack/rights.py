"""Attacks with a key or an account that may do something, to do more."""

import base64
import contextlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.harness.sample_pdf import lines
from drills.attack.scene import VICTIM, Attack, Broken, Scene, code_of

_STAFF, _STAFF_PASSWORD = "staff@example.com", "a-password-for-this-run-only"


def _header_that_moves_the_root(scene: Scene) -> str:
    with scene.client("") as client:
        statuses = {
            client.get(path, headers={"SCRIPT_NAME": "/v1"}).status_code for path in ("/v1/admin/login/", "/v1/metrics")
        }
    if 200 in statuses:
        raise Broken("the admin or the metrics are served under /v1/")
    return f"{', '.join(map(str, sorted(statuses)))}"


def _write_only_key(scene: Scene) -> str:
    with scene.client(_key(scene, scopes=["write"])) as client:
        body = {"collection_name": _collection(scene), "name": "report.pdf"}
        response = client.patch("/v1/documents/report.pdf/", json=body)
    answer: dict[str, Any] = response.json()
    if answer.get("url") or answer.get("metadata"):
        raise Broken("the answer contains a link or metadata")
    return f"{response.status_code} without link and metadata"


def _replayed_answer(scene: Scene) -> str:
    headers = {"Idempotency-Key": "replay"}
    body = {"name": "replayed", "collection_name": "secret", "base64": _pdf()}
    restricted = _key(scene, scopes=["write"], collections=["public"])
    with scene.client(scene.attacker) as client, scene.client(restricted) as limited:
        client.post("/v1/documents/upsert-document/", json=body, headers=headers).raise_for_status()
        response = limited.post("/v1/documents/upsert-document/", json=body, headers=headers)
    if response.status_code < 400:
        raise Broken("the answer was replayed to a key that does not reach the collection")
    return f"{response.status_code} `{code_of(response)}`"


def _usage_of_the_account(scene: Scene) -> str:
    with scene.client(_key(scene, scopes=["read"], collections=["public"])) as client:
        usage = client.get("/v1/usage/").json()
    if any(usage.get(name) for name in ("documents", "pages", "bytes")):
        raise Broken("the whole account's figures are shown")
    return "hidden"


def _descendants_of_a_leaked_key(scene: Scene) -> str:
    leaked = _mint(scene.attacker, scene, scopes=["admin"])
    minted = _mint(leaked["key"], scene, scopes=["read"])
    with scene.client(scene.attacker) as client:
        client.delete(f"/v1/keys/{leaked['id']}/", params={"with": "descendants"}).raise_for_status()
    with scene.client(minted["key"]) as client:
        status = client.get("/v1/me/").status_code
    if status != 401:
        raise Broken("a key that the leaked key made still works")
    return "revoked with it"


def _link_of_a_deactivated_owner(scene: Scene) -> str:
    with scene.client(scene.victim) as client:
        link = client.get("/v1/documents/report.pdf/", params={"collection_name": "all"}).json()["url"]
    path = urlsplit(link).path
    with scene.client("") as client, scene.stack.connect() as database:
        if client.get(path).status_code != 200:
            raise Broken("the link does not work at all")
        database.execute("UPDATE accounts_customuser SET is_active = false WHERE email = %s", [VICTIM])
        database.commit()
        try:
            status = client.get(path).status_code
        finally:
            database.execute("UPDATE accounts_customuser SET is_active = true WHERE email = %s", [VICTIM])
            database.commit()
    if status == 200:
        raise Broken("the link still works")
    return str(status)


def _staff_who_raise_themselves(scene: Scene) -> str:
    """Sign in as staff who may change users, and send the form of their own account with `is_superuser`."""
    scene.manage("createsuperuser", "--noinput", "--email", _STAFF, DJANGO_SUPERUSER_PASSWORD=_STAFF_PASSWORD)
    with scene.stack.connect() as database:
        database.execute("UPDATE accounts_customuser SET is_superuser = false WHERE email = %s", [_STAFF])
        database.execute(
            "INSERT INTO accounts_customuser_user_permissions (customuser_id, permission_id) "
            "SELECT u.id, p.id FROM accounts_customuser u, auth_permission p "
            "WHERE u.email = %s AND p.codename IN ('view_customuser', 'change_customuser')",
            [_STAFF],
        )
        row = database.execute("SELECT id FROM accounts_customuser WHERE email = %s", [_STAFF]).fetchone()
        database.commit()
        url = f"/admin/accounts/customuser/{row[0] if row else 0}/change/"
        with httpx.Client(base_url=scene.admin_url, trust_env=False, follow_redirects=True, timeout=60) as client:
            _post_form(client, "/admin/login/", {"username": _STAFF, "password": _STAFF_PASSWORD, "next": url})
            page = client.get(url)
            if page.status_code != 200 or _STAFF not in page.text:
                raise SystemExit(f"Signing in as staff failed: {page.status_code}")
            _post_form(client, url, {"email": _STAFF, "is_active": "on", "is_staff": "on", "is_superuser": "on"})
        raised = database.execute("SELECT is_superuser FROM accounts_customuser WHERE email = %s", [_STAFF]).fetchone()
    if raised and raised[0]:
        raise Broken("a superuser now")
    return "ignored"


def _post_form(client: httpx.Client, url: str, form: dict[str, str]) -> httpx.Response:
    match = re.search(r'csrfmiddlewaretoken" value="([^"]*)', client.get(url).text)
    token = {"csrfmiddlewaretoken": match[1] if match else ""}
    return client.post(url, data={**token, **form}, headers={"Origin": str(client.base_url).rstrip("/")})


def _key(scene: Scene, **fields: Any) -> str:
    return str(_mint(scene.attacker, scene, **fields)["key"])


def _mint(key: str, scene: Scene, **fields: Any) -> dict[str, Any]:
    with scene.client(key) as client:
        for name in fields.get("collections") or ():
            with contextlib.suppress(httpx.HTTPStatusError):
                client.post("/v1/collections/", json={"name": name}).raise_for_status()
        answer: dict[str, Any] = client.post("/v1/keys/", json={"name": "attack", **fields}).raise_for_status().json()
    return answer


def _collection(scene: Scene) -> str:
    with scene.client(scene.attacker) as client:
        answer = client.get("/v1/documents/report.pdf/", params={"collection_name": "all"})
        return str(json.loads(answer.content)["collection_name"])


def _pdf() -> str:
    return base64.b64encode(lines(["secret"])).decode()


ATTACKS = (
    Attack("`SCRIPT_NAME` from a client, to reach the admin under `/v1/`", "served", _header_that_moves_the_root),
    Attack("A key that may only write renames a document to its own name", "a link to the file", _write_only_key),
    Attack("A restricted key repeats another key's request", "its answer, with a link", _replayed_answer),
    Attack("A restricted key asks for the account's usage", "shown", _usage_of_the_account),
    Attack("Keys made by a key that leaked, after that is revoked", "still work", _descendants_of_a_leaked_key),
    Attack("A link to a file of a deactivated owner", "still works", _link_of_a_deactivated_owner),
    Attack("Staff who may change users make themselves superusers", "possible", _staff_who_raise_themselves),
)
