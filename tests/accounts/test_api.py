"""The endpoints of keys."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.access import SCOPES
from accounts.key_lifecycle import Rights, mint_key
from accounts.models import ApiKey
from accounts.ownership import acting_for
from tests.cast import EVERYTHING, Someone, with_key


def in_days(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def own_key_id(someone: Someone) -> int:
    return int(someone.get("/v1/me/").json()["key_id"])


def make(someone: Someone, **body: Any) -> Any:
    return someone.post("/v1/keys/", {"scopes": ["read"], **body})


def as_holder(someone: Someone, created: Any) -> Someone:
    return Someone(someone.user, created.json()["key"])


@pytest.fixture
def limited(alice: Someone) -> Someone:
    """Return Alice with a key that may manage keys but reaches only two collections."""
    return with_key(alice.user, scopes=frozenset({"admin"}), collections=frozenset({"a", "b"}))


@pytest.fixture
def ending(alice: Someone) -> Someone:
    """Return Alice with an unrestricted key that expires tomorrow."""
    tomorrow = timezone.now() + timedelta(days=1)
    with acting_for(alice.id) as tx:
        return Someone(alice.user, mint_key(tx, rights=Rights(scopes=EVERYTHING, expires_at=tomorrow)).text)


def test_me_returns_the_owner_and_rights_of_the_key(alice: Someone, bob: Someone) -> None:
    assert alice.get("/v1/me/").json() == {
        "email": "alice@example.com",
        "key_id": own_key_id(alice),
        "key_name": "",
        "scopes": list(SCOPES),
        "collections": None,
        "expires_at": None,
    }
    assert bob.get("/v1/me/").json()["scopes"] == ["read"]
    assert bob.get("/v1/me/").json()["email"] == "alice@example.com"


def test_new_key_is_shown_once_and_works(alice: Someone) -> None:
    created = make(alice, name="website", scopes=["search", "read"], collections=["b", "a", "a"], expires_at=in_days(1))
    assert created.status_code == 201
    key = created.json()
    assert key["scopes"] == ["read", "search"]
    assert key["collections"] == ["a", "b"]
    assert (key["name"], key["state"], key["last_used_at"]) == ("website", "active", None)
    assert as_holder(alice, created).get("/v1/me/").json()["key_id"] == key["id"]
    listed = alice.get("/v1/keys/")
    assert key["key"] not in listed.content.decode()
    assert [key["id"] for key in listed.json()] == [own_key_id(alice), key["id"]]


@pytest.mark.parametrize(
    ("body", "place", "code"),
    [
        ({}, "/scopes", "required"),
        ({"scopes": []}, "/scopes", "min_length"),
        ({"scopes": "read"}, "/scopes", "not_a_list"),
        ({"scopes": ["root"]}, "/scopes/0", "invalid_choice"),
        ({"scopes": [["read"]]}, "/scopes/0", "invalid_choice"),
        ({"scopes": ["read"] * 5}, "/scopes", "max_length"),
        ({"scopes": ["read"], "collections": []}, "/collections", "min_length"),
        ({"scopes": ["read"], "collections": ["x" * 256]}, "/collections/0", "max_length"),
        ({"scopes": ["read"], "collections": ["a\0"]}, "/collections/0", "null_characters_not_allowed"),
        ({"scopes": ["read"], "collections": {"a": 1}}, "/collections", "not_a_list"),
        ({"scopes": ["read"], "name": "x" * 101}, "/name", "max_length"),
        ({"scopes": ["read"], "name": "\0"}, "/name", "null_characters_not_allowed"),
        ({"scopes": ["read"], "name": {}}, "/name", "invalid"),
        ({"scopes": ["read"], "expires_at": "soon"}, "/expires_at", "invalid"),
        ({"scopes": ["read"], "expires_at": 7}, "/expires_at", "invalid"),
        ({"scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "expiry_in_the_past"),
        ({"scopes": ["read"], "expires_at": "0001-01-01T00:00:00+14:00"}, "/expires_at", "overflow"),
        ({"scopes": ["read"], "expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at", "overflow"),
        ({"scopes": ["read"], "colections": ["a"]}, "/colections", "unknown_field"),
        ({"scopes": ["read"], "a/~b": 1}, "/a~1~0b", "unknown_field"),
        ({"scopes": ["read"], "name": "\ud800"}, "/name", "surrogate_characters_not_allowed"),
        ({"scopes": ["read"], "collections": ["\udfff"]}, "/collections/0", "surrogate_characters_not_allowed"),
    ],
)
def test_invalid_body_is_refused_with_a_pointer(alice: Someone, body: dict[str, Any], place: str, code: str) -> None:
    answer = alice.post("/v1/keys/", body)
    assert answer.status_code == 422
    assert [(problem["pointer"], problem["code"]) for problem in answer.json()["errors"]] == [(place, code)]
    with acting_for(alice.id):
        assert ApiKey.objects.count() == 1


def test_unknown_field_has_its_own_code(alice: Someone) -> None:
    assert make(alice, surprise=1).json()["code"] == "unknown_field"


def test_restricted_key_passes_on_its_restrictions(limited: Someone, ending: Someone) -> None:
    assert make(limited).json()["collections"] == ["a", "b"]
    assert make(limited, collections=["b"]).json()["collections"] == ["b"]
    until = parse_datetime(make(ending).json()["expires_at"])
    assert until == parse_datetime(ending.get("/v1/me/").json()["expires_at"])
    assert make(ending, expires_at=in_days(0.5)).status_code == 201


@pytest.mark.parametrize("body", [{"collections": None}, {"collections": ["c"]}, {"collections": ["a", "c"]}])
def test_restricted_key_cannot_grant_more_collections(limited: Someone, body: dict[str, Any]) -> None:
    answer = make(limited, **body)
    assert answer.status_code == 403
    assert answer.json()["code"] == "rights_exceeded"


@pytest.mark.parametrize("expires_at", [None, in_days(2)], ids=["for ever", "later"])
def test_expiring_key_cannot_grant_a_later_expiry(ending: Someone, expires_at: str | None) -> None:
    assert make(ending, expires_at=expires_at).status_code == 403


def test_restricted_key_does_not_see_keys_that_reach_further(alice: Someone, limited: Someone) -> None:
    inner = make(limited, collections=["a"]).json()["id"]
    outer = make(alice, collections=["a", "c"]).json()["id"]
    assert [key["id"] for key in limited.get("/v1/keys/").json()] == [own_key_id(limited), inner]
    for hidden in (outer, own_key_id(alice)):
        assert limited.delete(f"/v1/keys/{hidden}/").status_code == 404
        assert limited.post(f"/v1/keys/{hidden}/rotate/", {}).status_code == 404
    assert alice.get("/v1/me/").status_code == 200
    assert limited.delete(f"/v1/keys/{inner}/").status_code == 204


def test_revoked_key_is_refused_at_once(alice: Someone) -> None:
    created = make(alice)
    holder = as_holder(alice, created)
    assert holder.get("/v1/me/").status_code == 200
    assert alice.delete(f"/v1/keys/{created.json()['id']}/").status_code == 204
    assert holder.get("/v1/me/").status_code == 401
    assert alice.get("/v1/keys/").json()[-1]["state"] == "revoked"
    assert alice.delete(f"/v1/keys/{created.json()['id']}/").status_code == 204


def test_key_can_revoke_itself(alice: Someone) -> None:
    assert alice.delete(f"/v1/keys/{own_key_id(alice)}/").status_code == 204
    assert alice.get("/v1/me/").status_code == 401


@pytest.mark.parametrize("absent", [0, 987654321, 2**63 - 1, 2**63, 10**40])
def test_key_of_another_owner_looks_like_a_missing_key(alice: Someone, charlie: Someone, absent: int) -> None:
    hers = own_key_id(alice)
    for path in ("/v1/keys/{}/", "/v1/keys/{}/rotate/"):
        send = charlie.delete if path.endswith("{}/") else lambda address: charlie.post(address, {})
        answers = [send(path.format(key_id)) for key_id in (hers, absent)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert len({str({**answer.json(), "request_id": ""}) for answer in answers}) == 1
    assert alice.get("/v1/me/").status_code == 200
    assert [key["id"] for key in charlie.get("/v1/keys/").json()] == [own_key_id(charlie)]


@pytest.mark.parametrize("nonsense", ["-1", "1.0", "x", "%00", "1" * 900])
def test_malformed_id_is_not_found(alice: Someone, nonsense: str) -> None:
    assert alice.delete(f"/v1/keys/{nonsense}/").status_code == 404


def test_keys_show_which_key_created_them(alice: Someone) -> None:
    created = make(alice, scopes=["admin"])
    grandchild = make(as_holder(alice, created)).json()
    successor = alice.post(f"/v1/keys/{grandchild['id']}/rotate/", {}).json()
    mine, child = own_key_id(alice), created.json()["id"]
    lineage = [(key["id"], key["minted_by"], key["rotated_from"]) for key in alice.get("/v1/keys/").json()]
    assert lineage == [
        (mine, None, None),
        (child, mine, None),
        (grandchild["id"], child, None),
        (successor["id"], mine, grandchild["id"]),
    ]


def test_leaked_key_is_revoked_with_all_that_it_created(alice: Someone, charlie: Someone) -> None:
    leaked = make(alice, scopes=["admin"])
    child = make(as_holder(alice, leaked), scopes=["admin"])
    own_successor = as_holder(alice, child).post(f"/v1/keys/{child.json()['id']}/rotate/", {})
    grandchild = make(as_holder(alice, own_successor))
    good_successor = alice.post(f"/v1/keys/{leaked.json()['id']}/rotate/", {})
    unrelated = make(alice)
    assert alice.delete(f"/v1/keys/{leaked.json()['id']}/?with=descendants").status_code == 204
    for ended in (leaked, child, own_successor, grandchild):
        assert as_holder(alice, ended).get("/v1/me/").status_code == 401
    for good in (alice, as_holder(alice, good_successor), as_holder(alice, unrelated), charlie):
        assert good.get("/v1/me/").status_code == 200
    revoked_at = {key["revoked_at"] for key in alice.get("/v1/keys/").json() if key["state"] == "revoked"}
    assert len(revoked_at) == 1, "all at the same moment"


def test_descendants_of_a_revoked_key_can_still_be_revoked(alice: Someone) -> None:
    leaked = make(alice, scopes=["admin"])
    child = make(as_holder(alice, leaked))
    for query, status in (("", 200), ("?with=descendants", 401)):
        assert alice.delete(f"/v1/keys/{leaked.json()['id']}/{query}").status_code == 204
        assert as_holder(alice, child).get("/v1/me/").status_code == status


@pytest.mark.parametrize("extent", ["", "descendents", "all"])
def test_misspelt_extent_revokes_nothing(alice: Someone, extent: str) -> None:
    key_id = make(alice).json()["id"]
    refused = alice.delete(f"/v1/keys/{key_id}/?with={extent}")
    assert (refused.status_code, refused.json()["code"]) == (422, "parameter_invalid")
    assert alice.get("/v1/keys/").json()[-1]["state"] == "active"


def test_rotation_creates_a_key_with_the_same_rights(alice: Someone) -> None:
    old = make(alice, name="website", scopes=["search"], collections=["a"], expires_at=in_days(30)).json()
    answer = alice.post(f"/v1/keys/{old['id']}/rotate/", {})
    assert answer.status_code == 201
    new = answer.json()
    same = ("name", "scopes", "collections", "expires_at")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert new["rotated_from"] == old["id"]
    assert new["key"] != old["key"]


def test_rotated_key_works_during_the_overlap(alice: Someone) -> None:
    created = make(alice)
    new = alice.post(f"/v1/keys/{created.json()['id']}/rotate/", {"overlap_hours": 48})
    old = as_holder(alice, created).get("/v1/me/").json()
    until = parse_datetime(old["expires_at"])
    assert until is not None
    assert timedelta(hours=47) < until - timezone.now() <= timedelta(hours=48)
    assert as_holder(alice, new).get("/v1/me/").json()["expires_at"] is None


def test_rotated_key_expires_at_once_without_an_overlap(alice: Someone) -> None:
    new = alice.post(f"/v1/keys/{own_key_id(alice)}/rotate/", {"overlap_hours": 0})
    assert alice.get("/v1/me/").status_code == 401
    assert as_holder(alice, new).get("/v1/keys/").status_code == 200


def test_overlap_never_extends_the_old_key(alice: Someone) -> None:
    soon = make(alice, expires_at=in_days(0.5)).json()
    alice.post(f"/v1/keys/{soon['id']}/rotate/", {"overlap_hours": 168})
    assert alice.get("/v1/keys/").json()[1]["expires_at"] == soon["expires_at"]


def test_expiring_key_cannot_extend_itself(ending: Someone) -> None:
    until = ending.get("/v1/me/").json()["expires_at"]
    assert ending.post(f"/v1/keys/{own_key_id(ending)}/rotate/", {}).json()["expires_at"] == until


def test_expiring_key_cannot_rotate_a_key_without_expiry(alice: Someone, ending: Someone) -> None:
    answer = ending.post(f"/v1/keys/{own_key_id(alice)}/rotate/", {})
    assert answer.status_code == 403
    assert answer.json()["code"] == "rights_exceeded"
    assert alice.get("/v1/me/").json()["expires_at"] is None


@pytest.mark.parametrize("ended", ["revoked", "expired"])
def test_revoked_or_expired_key_cannot_be_rotated(alice: Someone, ended: str) -> None:
    key_id = make(alice).json()["id"]
    if ended == "revoked":
        alice.delete(f"/v1/keys/{key_id}/")
    else:
        alice.post(f"/v1/keys/{key_id}/rotate/", {"overlap_hours": 0})
    answer = alice.post(f"/v1/keys/{key_id}/rotate/", {})
    assert answer.status_code == 409
    assert answer.json()["code"] == "key_not_active"


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "x", None, [], 10**30])
def test_overlap_must_be_whole_hours_up_to_a_week(alice: Someone, hours: object) -> None:
    answer = alice.post(f"/v1/keys/{own_key_id(alice)}/rotate/", {"overlap_hours": hours})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/overlap_hours"


def test_list_is_paged(alice: Someone) -> None:
    created = [own_key_id(alice), *(make(alice).json()["id"] for _ in range(3))]
    first = alice.get("/v1/keys/?limit=3")
    assert [key["id"] for key in first.json()] == created[:3]
    following = first["Link"].partition(">")[0].removeprefix("<").removeprefix("http://testserver")
    assert [key["id"] for key in alice.get(following).json()] == created[3:]


def test_number_of_queries_does_not_depend_on_the_length_of_the_list(alice: Someone) -> None:
    alice.get("/v1/keys/")
    with CaptureQueriesContext(connection) as for_one:
        alice.get("/v1/keys/")
    for _ in range(5):
        make(alice)
    with CaptureQueriesContext(connection) as for_six:
        assert len(alice.get("/v1/keys/").json()) == 6
    assert len(for_six) == len(for_one)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/v1/keys/"),
        ("post", "/v1/keys/"),
        ("delete", "/v1/keys/1/"),
        ("post", "/v1/keys/1/rotate/"),
    ],
)
def test_managing_keys_requires_the_admin_scope(alice: Someone, method: str, path: str) -> None:
    almost = with_key(alice.user, scopes=frozenset({"read", "write", "search"}))
    answer = getattr(almost, method)(path, *([{}] if method == "post" else []))
    assert answer.status_code == 403
    assert answer.json()["code"] == "scope_missing"


@pytest.mark.parametrize(
    ("path", "allowed"), [("/v1/me/", ""), ("/v1/keys/", "limit=5&"), ("/v1/usage/", ""), ("/v1/keys/1/", "")]
)
def test_unknown_query_parameter_is_refused(alice: Someone, path: str, allowed: str) -> None:
    method = alice.delete if path.endswith("/1/") else alice.get
    refused = method(f"{path}?{allowed}limti=5")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parameter")
    assert refused.json()["errors"][0]["pointer"] == "/limti"
